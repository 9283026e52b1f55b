// SPDX-License-Identifier: Apache-2.0
// A scan of int8 codes for the rows nearest to some queries: sums of products and thresholds in one pass over memory.
// Knows buffers and numbers; what is promised about them is said in overt's stores/kernels/base.py.

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000  // one binary for Python 3.11 and every later one
#include <Python.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum {
    LANES = 16,          // queries that are scanned for together
    FEW = 8,             // so many queries are no slower one by one than as lanes of which half are empty
    BLOCK_ROWS = 64,     // rows at a time, at most
    BLOCK_BYTES = 8192,  // of codes at a time: they and the queries stay in the first cache while each query has its turn
    STEP = 64,           // widths are multiples of this: the widest register
    MOST_WIDTH = 32768,  // 255 * 127 * this still fits an int32
};

// --- candidates ---

struct query {
    double margin, floor;
    size_t limit;
    float *best;  // a heap of the `limit` best scores so far, the least of them first
    size_t bests;
    int64_t *rows;  // candidates so far: every row that is not below the present cut, and some that are
    float *scores;
    size_t count, room;
};

struct scan {
    const int8_t *codes;
    const char *scales;  // float32, not aligned perhaps
    const char *hidden;  // NULL when no row is
    size_t rows, width;
    size_t queries, padded;  // padded: the next multiple of LANES
    struct query *query;     // [queries]
    float *scale, *cut;      // [padded]; the padding's cut is infinite
    const int8_t *code;      // [queries][width]
    int8_t *lanes;           // [padded / LANES][width / 4][LANES][4]: the same codes, as `many` reads them
};

static void keep_best(struct query *query, float score)
{
    float *best = query->best;
    size_t at;
    if (query->bests < query->limit) {
        for (at = query->bests++; at > 0 && best[(at - 1) / 2] > score; at = (at - 1) / 2)
            best[at] = best[(at - 1) / 2];
    } else if (score > best[0]) {
        size_t child;
        for (at = 0; (child = 2 * at + 1) < query->bests; at = child) {
            if (child + 1 < query->bests && best[child + 1] < best[child])
                child++;
            if (best[child] >= score)
                break;
            best[at] = best[child];
        }
    } else {
        return;
    }
    best[at] = score;
}

// The score below which a row can be left out. Rounded down, so that no comparison of floats leaves out one too many.
static float cut_of(const struct query *query)
{
    double cut = query->floor - query->margin;
    if (query->bests == query->limit && query->best[0] - 2 * query->margin > cut)
        cut = query->best[0] - 2 * query->margin;
    const float rounded = (float)cut;
    return rounded > cut ? nextafterf(rounded, -INFINITY) : rounded;
}

static void drop_below(struct query *query, float cut)
{
    size_t kept = 0;
    for (size_t i = 0; i < query->count; i++) {
        query->rows[kept] = query->rows[i];
        query->scores[kept] = query->scores[i];
        kept += query->scores[i] >= cut;
    }
    query->count = kept;
}

static bool grow(struct query *query)
{
    const size_t room = 2 * query->room + 1024;
    int64_t *rows = realloc(query->rows, room * sizeof *rows);
    if (rows)
        query->rows = rows;
    float *scores = realloc(query->scores, room * sizeof *scores);
    if (scores)
        query->scores = scores;
    if (!rows || !scores)
        return false;
    query->room = room;
    return true;
}

// Takes a row that is not below the cut. False when there is no memory left.
static bool take(struct scan *scan, size_t number, size_t row, float score)
{
    struct query *query = &scan->query[number];
    if (scan->hidden && scan->hidden[row])
        return true;
    if (query->count == query->room) {
        drop_below(query, scan->cut[number]);
        if (query->count >= query->room / 2 && !grow(query))  // half of it free, or this would soon be done again
            return false;
    }
    query->rows[query->count] = (int64_t)row;
    query->scores[query->count++] = score;
    keep_best(query, score);
    scan->cut[number] = cut_of(query);
    return true;
}

// --- blocks of rows ---

typedef void dots_of(const int8_t *rows, size_t count, size_t width, const int8_t *codes, int32_t *dots);

// These are inlined into a function of each level, and so compiled with its instructions.
ALWAYS_INLINE bool sift_one(struct scan *scan, size_t number, size_t first, size_t count, const float *scales,
                            const int32_t *dots)
{
    const float scale = scan->scale[number], cut = scan->cut[number];
    float scores[BLOCK_ROWS];
    int any = 0;
    for (size_t i = 0; i < count; i++) {
        scores[i] = (float)dots[i] * (scales[i] * scale);
        any |= scores[i] >= cut;
    }
    for (size_t i = 0; any && i < count; i++)
        if (scores[i] >= scan->cut[number] && !take(scan, number, first + i, scores[i]))
            return false;
    return true;
}

ALWAYS_INLINE bool sift_many(struct scan *scan, size_t number, size_t first, size_t count, const float *scales,
                             const int32_t *dots)
{
    for (size_t i = 0; i < count; i++, dots += LANES) {
        float scores[LANES];
        int any = 0;
        for (size_t lane = 0; lane < LANES; lane++) {
            scores[lane] = (float)dots[lane] * (scales[i] * scan->scale[number + lane]);
            any |= scores[lane] >= scan->cut[number + lane];
        }
        for (size_t lane = 0; any && lane < LANES; lane++)
            if (scores[lane] >= scan->cut[number + lane] && !take(scan, number + lane, first + i, scores[lane]))
                return false;
    }
    return true;
}

// Memory is read once, whatever the number of queries. many: NULL where it is no faster. False when there is no memory
// left.
ALWAYS_INLINE bool scan_blocks(struct scan *scan, dots_of *one, dots_of *many)
{
    int32_t dots[BLOCK_ROWS * LANES];
    float scales[BLOCK_ROWS];
    const size_t width = scan->width, fitting = BLOCK_BYTES / width / 8 * 8;
    const size_t step = fitting < 8 ? 8 : fitting < BLOCK_ROWS ? fitting : BLOCK_ROWS;
    const size_t left = scan->queries % LANES;
    const size_t together = !many ? 0 : left > FEW ? scan->queries : scan->queries - left;
    for (size_t first = 0; first < scan->rows; first += step) {
        const size_t count = scan->rows - first < step ? scan->rows - first : step;
        const int8_t *rows = scan->codes + first * width;
        size_t number = 0;
        memcpy(scales, scan->scales + first * sizeof *scales, count * sizeof *scales);
        for (; number < together; number += LANES) {
            many(rows, count, width, scan->lanes + number * width, dots);
            if (!sift_many(scan, number, first, count, scales, dots))
                return false;
        }
        for (; number < scan->queries; number++) {
            one(rows, count, width, scan->code + number * width, dots);
            if (!sift_one(scan, number, first, count, scales, dots))
                return false;
        }
    }
    return true;
}

// --- levels of instructions ---

ALWAYS_INLINE int32_t four(const int8_t *codes)
{
    int32_t bytes;
    memcpy(&bytes, codes, sizeof bytes);
    return bytes;
}

#if defined(__x86_64__)
#include <immintrin.h>

// vpdpbusd multiplies unsigned by signed codes: rows get 128 added, and 128 times the query's codes is subtracted.
#define NAME(x) x##_vnni
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define VECTOR __m512i
#define ZERO _mm512_setzero_si512()
#define LOAD(p) _mm512_loadu_si512(p)
#define SPREAD(p) _mm512_set1_epi32(four(p))
#define MAC(sum, r, q) _mm512_dpbusd_epi32(sum, _mm512_xor_si512(r, _mm512_set1_epi8(-128)), q)
#define BIAS(sum, q) _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(-128), q)
#define MINUS(a, b) _mm512_sub_epi32(a, b)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define STORE4(p, of) sum4_vnni(p, of)
#define ROWS 8

// Lanes of two registers are added pairwise into one, twice: each quarter then holds a sum for a, b, c and d.
TARGET ALWAYS_INLINE void sum4_vnni(int32_t *to, const __m512i *of)
{
    const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(of[0], of[1]), _mm512_unpackhi_epi32(of[0], of[1]));
    const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(of[2], of[3]), _mm512_unpackhi_epi32(of[2], of[3]));
    const __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    _mm_storeu_si128((__m128i *)to, sums);
}
#include "level.h"

// maddubs multiplies unsigned by signed codes as well: the row's sign goes to the query. It adds two products in an
// int16, which 2 * 128 * 127 fits.
#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2")))
#define VECTOR __m256i
#define ZERO _mm256_setzero_si256()
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define MAC(sum, r, q) \
    _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_abs_epi8(r), _mm256_sign_epi8(q, r)), \
                                            _mm256_set1_epi16(1)))
#define BIAS(sum, q) ((void)(q), sum)
#define MINUS(a, b) _mm256_sub_epi32(a, b)
#define STORE4(p, of) sum4_avx2(p, of)

TARGET ALWAYS_INLINE void sum4_avx2(int32_t *to, const __m256i *of)
{
    const __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(of[0], of[1]), _mm256_hadd_epi32(of[2], of[3]));
    const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storeu_si128((__m128i *)to, sums);
}
#include "level.h"

static bool has_vnni(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

#elif defined(__aarch64__)
#include <arm_neon.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

#define FROM(codes) vreinterpretq_s32_s8(codes)
#define CODES(lanes) vreinterpretq_s8_s32(lanes)

// sdot: four products into each lane.
#define NAME(x) x##_sdot
#define TARGET __attribute__((target("arch=armv8.2-a+dotprod")))
#define VECTOR int32x4_t
#define ZERO vdupq_n_s32(0)
#define LOAD(p) FROM(vld1q_s8(p))
#define SPREAD(p) vdupq_n_s32(four(p))
#define MAC(sum, r, q) vdotq_s32(sum, CODES(r), CODES(q))
#define BIAS(sum, q) ((void)(q), sum)
#define MINUS(a, b) vsubq_s32(a, b)
#define STORE(p, v) vst1q_s32(p, v)
#define STORE4(p, of) vst1q_s32(p, vpaddq_s32(vpaddq_s32(of[0], of[1]), vpaddq_s32(of[2], of[3])))
#define ROWS 4
#include "level.h"

// Without it: products as int16, added in pairs, which 2 * 128 * 127 fits, and the pairs added into lanes.
#define NAME(x) x##_neon
#define TARGET
#define VECTOR int32x4_t
#define ZERO vdupq_n_s32(0)
#define LOAD(p) FROM(vld1q_s8(p))
#define MAC(sum, r, q) \
    vpadalq_s16(sum, vpaddq_s16(vmull_s8(vget_low_s8(CODES(r)), vget_low_s8(CODES(q))), \
                                vmull_s8(vget_high_s8(CODES(r)), vget_high_s8(CODES(q)))))
#define BIAS(sum, q) ((void)(q), sum)
#define MINUS(a, b) vsubq_s32(a, b)
#define STORE4(p, of) vst1q_s32(p, vpaddq_s32(vpaddq_s32(of[0], of[1]), vpaddq_s32(of[2], of[3])))
#include "level.h"

static bool has_sdot(void)
{
#ifdef __linux__
    return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
#else
    return false;
#endif
}
#endif

static void one_plain(const int8_t *rows, size_t count, size_t width, const int8_t *query, int32_t *dots)
{
    for (size_t row = 0; row < count; row++, rows += width) {
        int32_t sum = 0;
        for (size_t at = 0; at < width; at++)
            sum += rows[at] * query[at];
        dots[row] = sum;
    }
}

static bool scan_plain(struct scan *scan)
{
    return scan_blocks(scan, one_plain, NULL);
}

static bool always(void)
{
    return true;
}

static const struct level {
    const char *name;
    bool (*available)(void);
    bool (*scan)(struct scan *);
} LEVELS[] = {  // best first
#if defined(__x86_64__)
    {"avx512-vnni", has_vnni, scan_vnni},
    {"avx2", has_avx2, scan_avx2},
#elif defined(__aarch64__)
    {"neon-sdot", has_sdot, scan_sdot},
    {"neon", always, scan_neon},
#endif
    {"plain", always, scan_plain},
};
enum { LEVEL_COUNT = sizeof LEVELS / sizeof *LEVELS };

// --- Python ---

// A C-contiguous buffer of numbers in this machine's order, of `format` (or `other`, another letter for the same) and
// `dimensions`; an exception and false when it is anything else. Buffers pinned so cannot be freed while they are read.
static bool open_buffer(PyObject *from, Py_buffer *buffer, const char *name, char format, char other, Py_ssize_t size,
                        int dimensions)
{
    if (PyObject_GetBuffer(from, buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) {
        if (PyErr_ExceptionMatches(PyExc_BufferError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_ValueError, "%s is not C-contiguous", name);
        }
        return false;
    }
    const char *letter = buffer->format ? buffer->format : "B";
    letter += *letter && strchr("@=^", *letter) ? 1 : 0;
    if (!*letter || letter[1] || (*letter != format && *letter != other) || buffer->itemsize != size) {
        PyErr_Format(PyExc_TypeError, "%s has items of format '%s', not '%c'", name,
                     buffer->format ? buffer->format : "B", format);
        return false;
    }
    Py_ssize_t items = 1;
    for (int i = 0; i < buffer->ndim; i++)
        items *= buffer->shape[i];
    if (buffer->ndim != dimensions || buffer->len != items * size) {
        PyErr_Format(PyExc_ValueError, "%s has %d dimensions, not %d", name, buffer->ndim, dimensions);
        return false;
    }
    return true;
}

enum { CODES_OF_ROWS, SCALES_OF_ROWS, CODES_OF_QUERIES, SCALES, MARGINS, FLOORS, LIMITS, HIDDEN, ARGUMENTS };

static const struct argument {
    const char *name;
    char format, other;
    int size, dimensions, like;  // like: the argument of as many rows
} EXPECTED[] = {
    {"codes", 'b', 'b', 1, 2, CODES_OF_ROWS},
    {"scales", 'f', 'f', 4, 1, CODES_OF_ROWS},
    {"query codes", 'b', 'b', 1, 2, CODES_OF_QUERIES},
    {"query scales", 'f', 'f', 4, 1, CODES_OF_QUERIES},
    {"margins", 'd', 'd', 8, 1, CODES_OF_QUERIES},
    {"floors", 'd', 'd', 8, 1, CODES_OF_QUERIES},
    {"limits", 'q', 'l', 8, 1, CODES_OF_QUERIES},
    {"hidden", '?', '?', 1, 1, CODES_OF_ROWS},
};

// False and an exception when an argument is of the wrong type or size.
static bool open_buffers(PyObject *const *from, Py_buffer *buffers)
{
    for (int i = 0; i < ARGUMENTS; i++) {
        const struct argument *expected = &EXPECTED[i];
        if (i == HIDDEN && from[i] == Py_None)
            continue;
        if (!open_buffer(from[i], &buffers[i], expected->name, expected->format, expected->other, expected->size,
                         expected->dimensions))
            return false;
        if (buffers[i].shape[0] != buffers[expected->like].shape[0]) {
            PyErr_Format(PyExc_ValueError, "%s has %zd rows, %s has %zd", expected->name, buffers[i].shape[0],
                         EXPECTED[expected->like].name, buffers[expected->like].shape[0]);
            return false;
        }
    }
    const Py_ssize_t width = buffers[CODES_OF_ROWS].shape[1];
    if (width < STEP || width > MOST_WIDTH || width % STEP || buffers[CODES_OF_QUERIES].shape[1] != width) {
        PyErr_Format(PyExc_ValueError, "codes are %zd and query codes %zd wide, not both the same multiple of %d up to %d",
                     width, buffers[CODES_OF_QUERIES].shape[1], STEP, MOST_WIDTH);
        return false;
    }
    return true;
}

// Copies what is known of the queries, as another thread may change the buffers meanwhile. False and an exception when
// a number is out of range or memory is short; `close_scan` follows in any case.
static bool open_scan(struct scan *scan, const Py_buffer *buffers)
{
    scan->codes = buffers[CODES_OF_ROWS].buf;
    scan->scales = buffers[SCALES_OF_ROWS].buf;
    scan->hidden = buffers[HIDDEN].buf;
    scan->rows = (size_t)buffers[CODES_OF_ROWS].shape[0];
    scan->width = (size_t)buffers[CODES_OF_ROWS].shape[1];
    scan->padded = (size_t)(buffers[CODES_OF_QUERIES].shape[0] + LANES - 1) / LANES * LANES;
    int8_t *code = calloc(scan->padded + 1, scan->width);
    scan->code = code;
    scan->lanes = calloc(scan->padded + 1, scan->width);
    scan->scale = calloc(scan->padded + 1, sizeof *scan->scale);
    scan->cut = calloc(scan->padded + 1, sizeof *scan->cut);
    scan->query = calloc(scan->padded + 1, sizeof *scan->query);
    if (!scan->code || !scan->lanes || !scan->scale || !scan->cut || !scan->query) {
        PyErr_NoMemory();
        return false;
    }
    scan->queries = (size_t)buffers[CODES_OF_QUERIES].shape[0];
    memcpy(code, buffers[CODES_OF_QUERIES].buf, scan->queries * scan->width);
    if (memchr(code, 0x80, scan->queries * scan->width)) {
        PyErr_SetString(PyExc_ValueError, "query codes hold -128, whose opposite is no int8");
        return false;
    }
    memcpy(scan->scale, buffers[SCALES].buf, scan->queries * sizeof *scan->scale);
    for (size_t i = 0; i < scan->padded; i++)
        for (size_t at = 0; at < scan->width; at += 4)
            memcpy(scan->lanes + (i / LANES * LANES * scan->width + at * LANES + i % LANES * 4),
                   code + i * scan->width + at, 4);
    for (size_t i = 0; i < scan->padded; i++)
        scan->cut[i] = INFINITY;
    for (size_t i = 0; i < scan->queries; i++) {
        struct query *query = &scan->query[i];
        int64_t limit;
        memcpy(&limit, (const char *)buffers[LIMITS].buf + i * sizeof limit, sizeof limit);
        memcpy(&query->margin, (const char *)buffers[MARGINS].buf + i * sizeof(double), sizeof(double));
        memcpy(&query->floor, (const char *)buffers[FLOORS].buf + i * sizeof(double), sizeof(double));
        if (limit < 1 || !(query->margin >= 0) || !isfinite(query->margin) || !isfinite(query->floor)) {
            PyErr_SetString(PyExc_ValueError, "limits must be at least 1, margins at least 0, and floors finite");
            return false;
        }
        query->limit = (uint64_t)limit > scan->rows ? scan->rows + 1 : (size_t)limit;  // a heap that never fills
        query->best = malloc(query->limit * sizeof *query->best);
        if (!query->best) {
            PyErr_NoMemory();
            return false;
        }
        scan->cut[i] = cut_of(query);
    }
    return true;
}

static void close_scan(struct scan *scan)
{
    for (size_t i = 0; scan->query && i < scan->queries; i++) {
        free(scan->query[i].best);
        free(scan->query[i].rows);
        free(scan->query[i].scores);
    }
    free(scan->query);
    free(scan->cut);
    free(scan->scale);
    free(scan->lanes);
    free((void *)scan->code);
}

// A list of (rows, scores, cut), or NULL and an exception.
static PyObject *results_of(struct scan *scan)
{
    PyObject *results = PyList_New((Py_ssize_t)scan->queries);
    for (size_t i = 0; results && i < scan->queries; i++) {
        struct query *query = &scan->query[i];
        drop_below(query, scan->cut[i]);
        PyObject *result = Py_BuildValue("y#y#d", query->count ? (const char *)query->rows : "",
                                         (Py_ssize_t)(query->count * sizeof *query->rows),
                                         query->count ? (const char *)query->scores : "",
                                         (Py_ssize_t)(query->count * sizeof *query->scores), (double)scan->cut[i]);
        if (!result || PyList_SetItem(results, (Py_ssize_t)i, result))
            Py_CLEAR(results);
    }
    return results;
}

static PyObject *scan(PyObject *module, PyObject *arguments)
{
    (void)module;
    const char *name;
    PyObject *from[ARGUMENTS];
    if (!PyArg_ParseTuple(arguments, "sOOOOOOOO:scan", &name, &from[0], &from[1], &from[2], &from[3], &from[4], &from[5],
                          &from[6], &from[7]))
        return NULL;
    const struct level *level = NULL;
    for (int i = 0; i < LEVEL_COUNT; i++)
        if (!strcmp(LEVELS[i].name, name) && LEVELS[i].available())
            level = &LEVELS[i];
    if (!level)
        return PyErr_Format(PyExc_ValueError, "this machine has no level '%s'", name);
    Py_buffer buffers[ARGUMENTS] = {{0}};
    struct scan scan = {0};
    PyObject *results = NULL;
    if (open_buffers(from, buffers) && open_scan(&scan, buffers)) {
        bool done;
        Py_BEGIN_ALLOW_THREADS
        done = level->scan(&scan);
        Py_END_ALLOW_THREADS
        results = done ? results_of(&scan) : PyErr_NoMemory();
    }
    close_scan(&scan);
    for (int i = 0; i < ARGUMENTS; i++)
        PyBuffer_Release(&buffers[i]);
    return results;
}

static PyObject *levels(PyObject *module, PyObject *nothing)
{
    (void)module, (void)nothing;
    PyObject *names = PyList_New(0);
    for (int i = 0; names && i < LEVEL_COUNT; i++) {
        PyObject *name = LEVELS[i].available() ? PyUnicode_FromString(LEVELS[i].name) : NULL;
        if (LEVELS[i].available() && (!name || PyList_Append(names, name)))
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyMethodDef METHODS[] = {
    {"levels", levels, METH_NOARGS,
     "levels()\n--\n\nThe names of the levels of instructions this machine can run, best first; a list."},
    {"scan", scan, METH_VARARGS,
     "scan(level, codes, scales, query_codes, query_scales, margins, floors, limits, hidden)\n--\n\n"
     "For each query (rows, scores, cut): the bytes of int64 row numbers, those of their float32 scores, and the score\n"
     "below which every other row lies that is not hidden. A score is the sum of products of codes times both scales.\n"
     "Returned are the rows not below the larger of floor - margin and s - 2 * margin, s being the limit-th best score.\n\n"
     "codes: (n, width) int8, width a multiple of 64. scales: (n,) float32. query_codes: (b, width) int8 in -127..127.\n"
     "query_scales: (b,) float32. margins, floors: (b,) float64. limits: (b,) int64. hidden: (n,) bool, or None.\n"
     "Any other type raises TypeError, any other size or range ValueError. Other threads run meanwhile."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {{0, NULL}};

static struct PyModuleDef MODULE = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "overt_kernels",
    .m_doc = "A scan of int8 codes for the rows nearest to some queries. overt calls it when it is installed.",
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit_overt_kernels(void)
{
    return PyModuleDef_Init(&MODULE);
}
