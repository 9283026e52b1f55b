// SPDX-License-Identifier: Apache-2.0
// Sums of products of codes for one level of instructions; included once for each, after these macros are defined:
//   NAME(x)           x with the level's own ending
//   TARGET            the attribute that allows its instructions
//   VECTOR            a register of int32 lanes
//   ZERO              a register of zeros
//   LOAD(p)           a register of codes from memory of any alignment
//   MAC(sum, r, q)    sum + in each lane the products of four row codes and four query codes
//   BIAS(sum, q)      sum + what MAC adds too much, whatever the row is
//   MINUS(a, b)       a - b
//   STORE4(p, of)     the sums of the lanes of four registers to four int32
// and, where one instruction makes a sum of products, which is when adding lanes at the end costs most:
//   ROWS              rows per step of many queries: as many as the registers hold
//   SPREAD(p)         the four codes at p in every lane
//   STORE(p, v)       lanes to int32 memory of any alignment

// One query and `count` rows: dots[row]. Writes up to three more than `count`.
// Rows are read one after the other, in the order of memory, which the processor itself reads ahead in: with four rows
// side by side and prefetches instead, rows of 512 came at 70 % of the speed. Their sums are added four at a time.
TARGET ALWAYS_INLINE void NAME(one_of)(const int8_t *rows, size_t count, size_t width, const int8_t *query, int32_t *dots)
{
    VECTOR bias = ZERO;
    for (size_t at = 0; at < width; at += sizeof(VECTOR))
        bias = BIAS(bias, LOAD(query + at));
    for (size_t row = 0; row < count; row += 4) {
        VECTOR sums[4];
        UNROLL for (size_t i = 0; i < 4; i++) {
            const int8_t *codes = rows + (row + i < count ? row + i : row) * width;
            sums[i] = MINUS(ZERO, bias);
            UNROLL for (size_t at = 0; at < width; at += sizeof(VECTOR))
                sums[i] = MAC(sums[i], LOAD(codes + at), LOAD(query + at));
        }
        STORE4(dots + row, sums);
    }
}

// Where the compiler knows the width, the query stays in registers.
TARGET static void NAME(one)(const int8_t *rows, size_t count, size_t width, const int8_t *query, int32_t *dots)
{
    if (width == 128)
        NAME(one_of)(rows, count, 128, query, dots);
    else if (width == 512)
        NAME(one_of)(rows, count, 512, query, dots);
    else
        NAME(one_of)(rows, count, width, query, dots);
}

#ifdef ROWS
#define PARTS (LANES * sizeof(int32_t) / sizeof(VECTOR))  // registers that hold one sum for each lane

// LANES queries and `count` rows: dots[row * LANES + lane]. Writes up to ROWS - 1 rows more than `count`.
// Each register holds sums of one row with different queries, so that nothing need be added across a register.
TARGET static void NAME(many)(const int8_t *rows, size_t count, size_t width, const int8_t *lanes, int32_t *dots)
{
    VECTOR start[PARTS];
    for (size_t part = 0; part < PARTS; part++) {
        VECTOR bias = ZERO;
        for (size_t at = 0; at < width; at += 4)
            bias = BIAS(bias, LOAD(lanes + at * LANES + part * sizeof(VECTOR)));
        start[part] = MINUS(ZERO, bias);
    }
    for (size_t row = 0; row < count; row += ROWS) {
        const int8_t *each[ROWS];
        VECTOR sums[ROWS][PARTS];
        UNROLL for (size_t i = 0; i < ROWS; i++) {
            each[i] = rows + (row + i < count ? row + i : row) * width;
            UNROLL for (size_t part = 0; part < PARTS; part++)
                sums[i][part] = start[part];
        }
        for (size_t at = 0; at < width; at += 4) {
            VECTOR q[PARTS];
            UNROLL for (size_t part = 0; part < PARTS; part++)
                q[part] = LOAD(lanes + at * LANES + part * sizeof(VECTOR));
            UNROLL for (size_t i = 0; i < ROWS; i++) {
                const VECTOR r = SPREAD(each[i] + at);
                UNROLL for (size_t part = 0; part < PARTS; part++)
                    sums[i][part] = MAC(sums[i][part], r, q[part]);
            }
        }
        UNROLL for (size_t i = 0; i < ROWS; i++)
            UNROLL for (size_t part = 0; part < PARTS; part++)
                STORE(dots + (row + i) * LANES + part * sizeof(VECTOR) / sizeof(int32_t), sums[i][part]);
    }
}

TARGET static bool NAME(scan)(struct scan *scan)
{
    return scan_blocks(scan, NAME(one), NAME(many));
}
#undef PARTS
#undef SPREAD
#undef STORE
#undef ROWS
#else
TARGET static bool NAME(scan)(struct scan *scan)
{
    return scan_blocks(scan, NAME(one), NULL);
}
#endif

#undef NAME
#undef TARGET
#undef VECTOR
#undef ZERO
#undef LOAD
#undef MAC
#undef BIAS
#undef MINUS
#undef STORE4
