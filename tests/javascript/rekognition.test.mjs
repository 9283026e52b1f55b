// SPDX-License-Identifier: Apache-2.0
// The AWS SDK for JavaScript v3, unmodified, against a running server. tests/wire/test_javascript.py starts both.
//
// OVERT_URL: the server; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: a key of its owner. OVERT_PHOTOS: the folder of
// `make photos`, and in it pair.jpg: Obama, and a smaller Biden beside him; and sign.png: HARBOUR MUSEUM over OPEN 24.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import {
  AccessDeniedException,
  ConflictException,
  IdempotentParameterMismatchException,
  ImageTooLargeException,
  InvalidImageFormatException,
  InvalidPaginationTokenException,
  InvalidParameterException,
  InvalidS3ObjectException,
  ListCollectionsCommand,
  Rekognition,
  RekognitionClient,
  RekognitionServiceException,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  paginateListCollections,
  paginateListFaces,
  paginateListUsers,
} from "@aws-sdk/client-rekognition";

const OPERATIONS = `
  AssociateFaces CompareFaces CreateCollection CreateUser DeleteCollection DeleteFaces DeleteUser DescribeCollection
  DetectFaces DetectLabels DetectModerationLabels DetectProtectiveEquipment DetectText DisassociateFaces IndexFaces
  ListCollections ListFaces ListTagsForResource ListUsers SearchFaces SearchFacesByImage SearchUsers SearchUsersByImage
  TagResource UntagResource`;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NO_FACE = "There are no faces in the image. Should be at least 1.";
const LARGEST = 5 * 1024 * 1024; // bytes of a picture

const PLACE = { endpoint: process.env.OVERT_URL, region: "us-east-1" }; // credentials: the SDK finds them by itself
const client = new Rekognition(PLACE);
const run = `javascript-${randomUUID()}`;
const answered = new Set();
let collections = 0;

client.middlewareStack.add(
  (next, context) => async (call) => {
    const answer = await next(call);
    answered.add(context.commandName.replace(/Command$/, ""));
    return answer;
  },
  { step: "initialize" },
);

const photo = (name) => ({ Bytes: readFileSync(join(process.env.OVERT_PHOTOS, name)) });
const sorted = (items) => [...items].sort();
const newName = () => `${run}.${(collections += 1)}`;

after(async () => {
  const pages = await all(paginateListCollections({ client }, {}));
  const left = pages.flatMap((page) => page.CollectionIds).filter((name) => name.startsWith(run));
  for (const CollectionId of left) await client.deleteCollection({ CollectionId });
});

/** A collection of the test's own. */
async function collection(more = {}) {
  const CollectionId = newName();
  const { CollectionArn } = await client.createCollection({ CollectionId, ...more });
  return { CollectionId, ResourceArn: CollectionArn };
}

/** The ids of the one face in each photo, once they are indexed. */
async function indexed(CollectionId, ...names) {
  const ids = [];
  for (const name of names) {
    const { FaceRecords } = await client.indexFaces({ CollectionId, Image: photo(name), ExternalImageId: name });
    assert.equal(FaceRecords.length, 1, name);
    ids.push(FaceRecords[0].Face.FaceId);
  }
  return ids;
}

/** A user, and the faces in the photos, which are given to that user. */
async function enrolled(CollectionId, UserId, ...names) {
  await client.createUser({ CollectionId, UserId });
  const FaceIds = await indexed(CollectionId, ...names);
  const { AssociatedFaces } = await client.associateFaces({ CollectionId, UserId, FaceIds });
  assert.deepEqual(AssociatedFaces, FaceIds.map((FaceId) => ({ FaceId })));
  return FaceIds;
}

async function all(pages) {
  const found = [];
  for await (const page of pages) found.push(page);
  return found;
}

/** A function that gives the headers of a client's last answer. */
function heard(listening) {
  let headers;
  listening.middlewareStack.add(
    (next) => async (call) => {
      const answer = await next(call);
      headers = answer.response.headers;
      return answer;
    },
    { step: "deserialize" },
  );
  return () => headers;
}

/** Check that a call is refused with a class of the SDK's, or with a code the SDK has no class for. */
async function refused(call, kind, message) {
  const answer = () => assert.fail("the call was not refused");
  const error = await call.then(answer, (reason) => reason);
  const [type, name] = typeof kind === "string" ? [RekognitionServiceException, kind] : [kind, kind.name];
  assert.ok(error instanceof type, `${error}`);
  assert.deepEqual([error.constructor, error.name], [type, name], `${error}`);
  assert.equal(error.$metadata.httpStatusCode, 400);
  assert.match(error.$metadata.requestId, UUID);
  assert.equal(error.$metadata.attempts, 1, "the SDK tried again");
  if (message !== undefined) assert.equal(error.message, message);
  return error;
}

// Pictures

test("a face is described by its box, confidence, landmarks, pose and quality", async () => {
  const { FaceDetails, $metadata } = await client.detectFaces({ Image: photo("obama.jpg") });
  assert.equal($metadata.httpStatusCode, 200);
  assert.match($metadata.requestId, UUID);
  assert.equal(FaceDetails.length, 1);
  const [face] = FaceDetails;
  assert.deepEqual(sorted(Object.keys(face)), ["BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"]);
  assert.ok(face.Confidence > 50 && face.Confidence <= 100);
  assert.deepEqual(sorted(face.Landmarks.map((mark) => mark.Type)), [
    "eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose",
  ]);
  const { Left, Top, Width, Height } = face.BoundingBox;
  for (const { X, Y } of face.Landmarks) assert.ok(X > Left && X < Left + Width && Y > Top && Y < Top + Height);
  for (const angle of ["Roll", "Yaw", "Pitch"]) assert.ok(Math.abs(face.Pose[angle]) <= 180);
  for (const share of ["Brightness", "Sharpness"]) assert.ok(face.Quality[share] >= 0 && face.Quality[share] <= 100);
});

test("ALL attributes are told or named in the header of what was left out", async () => {
  const attributes = [
    "AgeRange", "Beard", "Emotions", "EyeDirection", "Eyeglasses", "EyesOpen", "FaceOccluded", "Gender", "MouthOpen",
    "Mustache", "Smile", "Sunglasses",
  ];
  const listening = new Rekognition(PLACE);
  const headers = heard(listening);
  const { FaceDetails } = await listening.detectFaces({ Image: photo("obama.jpg"), Attributes: ["ALL"] });
  const omitted = (headers()["x-overt-omitted"] ?? "").split(",").map((name) => name.replaceAll("_", "").toLowerCase());
  const [face] = FaceDetails;
  assert.equal(new Set(face.Landmarks.map((mark) => mark.Type)).size, 30);
  for (const name of attributes) assert.notEqual(name in face, omitted.includes(name.toLowerCase()), name);
  assert.equal(face.Gender.Value, "Male");
  assert.equal(face.Smile.Value, true);
  assert.ok(face.AgeRange.Low < face.AgeRange.High);
  assert.equal(face.Emotions[0].Type, "HAPPY");
  const shares = face.Emotions.map((emotion) => emotion.Confidence);
  assert.deepEqual(shares, shares.toSorted((one, other) => other - one));
});

test("a single attribute is told beside the default ones", async () => {
  const { FaceDetails } = await client.detectFaces({ Image: photo("biden.jpg"), Attributes: ["DEFAULT", "SMILE"] });
  assert.equal(typeof FaceDetails[0].Smile.Value, "boolean");
  assert.equal(FaceDetails[0].Gender, undefined);
});

test("faces are listed from the largest to the smallest", async () => {
  const { FaceDetails } = await client.detectFaces({ Image: photo("pair.jpg") });
  assert.equal(FaceDetails.length, 2);
  assert.ok(FaceDetails[0].BoundingBox.Width > FaceDetails[1].BoundingBox.Width);
});

test("a picture without a face has an empty list of faces", async () => {
  assert.deepEqual((await client.detectFaces({ Image: photo("coffee.png") })).FaceDetails, []);
});

test("bytes that are no picture are refused", async () => {
  const call = client.detectFaces({ Image: { Bytes: Buffer.from("not a picture") } });
  await refused(call, InvalidImageFormatException, "Request has invalid image format");
});

test("a picture has between 1 byte and 5 MiB", async () => {
  const one = photo("obama.jpg").Bytes;
  const full = { Bytes: Buffer.concat([one, Buffer.alloc(LARGEST - one.length)]) };
  const { FaceMatches } = await client.compareFaces({ SourceImage: full, TargetImage: full });
  assert.ok(FaceMatches[0].Similarity > 99);
  const larger = { Bytes: Buffer.alloc(LARGEST + 1) };
  const tooLarge = await refused(client.detectFaces({ Image: larger }), "ValidationException");
  assert.match(tooLarge.message, /'image\.bytes' .* length less than or equal to 5242880$/);
  const empty = await refused(client.detectFaces({ Image: { Bytes: new Uint8Array() } }), "ValidationException");
  assert.match(empty.message, /'image\.bytes' .* length greater than or equal to 1$/);
});

test("an S3 object that is not there is refused", async () => {
  const Image = { S3Object: { Bucket: "no-such-bucket", Name: "obama.jpg" } };
  const message = "Unable to get object metadata from S3. Check object key, region and/or access permissions.";
  await refused(client.detectFaces({ Image }), InvalidS3ObjectException, message);
});

test("pictures of the same person match", async () => {
  const answer = await client.compareFaces({ SourceImage: photo("obama.jpg"), TargetImage: photo("obama2.jpg") });
  assert.equal(answer.FaceMatches.length, 1);
  assert.ok(answer.FaceMatches[0].Similarity >= 80);
  assert.equal(answer.FaceMatches[0].Face.Landmarks.length, 5);
  assert.deepEqual(answer.UnmatchedFaces, []);
  assert.ok(answer.SourceImageFace.Confidence > 50);
  assert.ok(answer.SourceImageFace.BoundingBox.Width > 0);
});

test("pictures of different persons do not match", async () => {
  const pictures = { SourceImage: photo("obama.jpg"), TargetImage: photo("biden.jpg") };
  const answer = await client.compareFaces(pictures);
  assert.deepEqual(answer.FaceMatches, []);
  assert.equal(answer.UnmatchedFaces.length, 1);
  const lenient = await client.compareFaces({ ...pictures, SimilarityThreshold: 0 });
  assert.ok(lenient.FaceMatches[0].Similarity < 80);
  assert.deepEqual(lenient.UnmatchedFaces, []);
});

test("one of two persons in the target matches", async () => {
  const answer = await client.compareFaces({ SourceImage: photo("biden.jpg"), TargetImage: photo("pair.jpg") });
  assert.equal(answer.FaceMatches.length, 1);
  assert.equal(answer.UnmatchedFaces.length, 1);
  const [match, other] = [answer.FaceMatches[0].Face, answer.UnmatchedFaces[0]];
  assert.ok(match.BoundingBox.Left > other.BoundingBox.Left, "Biden stands on the right");
});

test("both pictures of a comparison must have a face", async () => {
  const [face, none] = [photo("obama.jpg"), photo("coffee.png")];
  await refused(client.compareFaces({ SourceImage: none, TargetImage: face }), InvalidParameterException, NO_FACE);
  await refused(client.compareFaces({ SourceImage: face, TargetImage: none }), InvalidParameterException);
});

// What a picture shows

test("what a picture shows is named, with parents, categories and boxes", async () => {
  const { Labels, LabelModelVersion, ImageProperties } = await client.detectLabels({ Image: photo("coffee.png") });
  assert.equal(LabelModelVersion, "3.0");
  assert.equal(ImageProperties, undefined);
  const confidences = Labels.map((label) => label.Confidence);
  assert.deepEqual(confidences, [...confidences].sort((a, b) => b - a));
  assert.ok(confidences.every((confidence) => confidence >= 55 && confidence <= 100));
  const coffee = Labels.find((label) => label.Name === "Coffee");
  assert.deepEqual(coffee.Parents, [{ Name: "Beverage" }]);
  assert.deepEqual(coffee.Categories, [{ Name: "Food and Beverage" }]);
  for (const label of Labels) assert.deepEqual([label.Instances, label.Aliases].map(Array.isArray), [true, true]);
  const { Labels: people } = await client.detectLabels({ Image: photo("astronaut.png"), MaxLabels: 1 });
  assert.deepEqual(people.map((label) => label.Name), ["Person"]);
  const [{ BoundingBox: box, Confidence, DominantColors }] = people[0].Instances;
  assert.ok(box.Width > 0.5 && box.Height > 0.5 && box.Left >= 0 && box.Top >= 0);
  assert.ok(Confidence > 55 && Confidence <= 100);
  assert.equal(DominantColors, undefined);
});

test("labels are filtered by name, category and confidence", async () => {
  const named = async (GeneralLabels, more = {}) => {
    const answer = await client.detectLabels({ Image: photo("coffee.png"), Settings: { GeneralLabels }, ...more });
    return answer.Labels.map((label) => label.Name);
  };
  assert.deepEqual(await named({ LabelInclusionFilters: ["Coffee"] }), ["Coffee"]);
  const food = await named({ LabelCategoryInclusionFilters: ["Food and Beverage"] }, { MinConfidence: 90 });
  assert.deepEqual(sorted(food), ["Beverage", "Coffee", "Espresso"]);
  const rest = await named({ LabelCategoryExclusionFilters: ["Food and Beverage"] });
  assert.ok(!rest.includes("Coffee"));
  const both = { LabelInclusionFilters: ["Coffee"], LabelExclusionFilters: ["Coffee"] };
  await refused(named(both), InvalidParameterException);
});

test("a label that nothing here can tell is named in a header", async () => {
  const listening = new Rekognition(PLACE);
  const headers = heard(listening);
  const GeneralLabels = { LabelInclusionFilters: ["Coffee", "a violet unicorn"] };
  const { Labels } = await listening.detectLabels({ Image: photo("coffee.png"), Settings: { GeneralLabels } });
  assert.deepEqual(Labels.map((label) => label.Name), ["Coffee"]);
  assert.equal(headers()["x-overt-omitted"], "a violet unicorn");
});

test("the colours and the quality of a picture are measured", async () => {
  const Settings = { ImageProperties: { MaxDominantColors: 3 } };
  const answer = await client.detectLabels({ Image: photo("coffee.png"), Features: ["IMAGE_PROPERTIES"], Settings });
  assert.equal(answer.Labels, undefined);
  const { Quality, DominantColors, Foreground, Background } = answer.ImageProperties;
  for (const name of ["Brightness", "Sharpness", "Contrast"]) assert.ok(Quality[name] >= 0 && Quality[name] <= 100);
  assert.ok(DominantColors.length >= 1 && DominantColors.length <= 3);
  for (const colour of DominantColors) {
    const hex = [colour.Red, colour.Green, colour.Blue].map((value) => value.toString(16).padStart(2, "0")).join("");
    assert.equal(colour.HexCode, `#${hex}`);
    assert.ok(colour.CSSColor && colour.SimplifiedColor && colour.PixelPercent > 0);
  }
  for (const ground of [Foreground, Background]) assert.ok(ground.Quality && ground.DominantColors.length <= 3);
  const stray = { Image: photo("coffee.png"), Features: ["IMAGE_PROPERTIES"], MaxLabels: 5 };
  await refused(client.detectLabels(stray), InvalidParameterException);
});

test("lines and words are read, and each word belongs to its line", async () => {
  const { TextDetections, TextModelVersion } = await client.detectText({ Image: photo("sign.png") });
  assert.equal(TextModelVersion, "3.0");
  const lines = TextDetections.filter((one) => one.Type === "LINE");
  assert.deepEqual(lines.map((one) => one.DetectedText), ["HARBOUR MUSEUM", "OPEN 24"]);
  const words = TextDetections.filter((one) => one.Type === "WORD");
  assert.deepEqual(words.map((one) => [one.DetectedText, one.ParentId]), [
    ["HARBOUR", 0], ["MUSEUM", 0], ["OPEN", 1], ["24", 1],
  ]);
  assert.deepEqual(TextDetections.map((one) => one.Id), [0, 1, 2, 3, 4, 5]);
  for (const { Confidence, Geometry, Type, ParentId } of TextDetections) {
    assert.ok(Confidence >= 80 && Confidence <= 100);
    assert.equal(Geometry.Polygon.length, 4);
    assert.ok(Geometry.BoundingBox.Width > 0 && Geometry.BoundingBox.Height > 0);
    assert.equal(ParentId === undefined, Type === "LINE");
  }
  const upper = { BoundingBox: { Left: 0, Top: 0, Width: 1, Height: 0.5 } };
  const cut = await client.detectText({ Image: photo("sign.png"), Filters: { RegionsOfInterest: [upper] } });
  assert.deepEqual(cut.TextDetections.map((one) => one.DetectedText), ["HARBOUR MUSEUM", "HARBOUR", "MUSEUM"]);
  const outside = { BoundingBox: { Left: 2, Top: 2, Width: 1, Height: 1 } };
  const call = client.detectText({ Image: photo("sign.png"), Filters: { RegionsOfInterest: [outside] } });
  await refused(call, InvalidParameterException);
});

test("moderation says what it found, and in a header what nothing here can tell", async () => {
  const listening = new Rekognition(PLACE);
  const headers = heard(listening);
  const ordinary = await listening.detectModerationLabels({ Image: photo("coffee.png") });
  assert.deepEqual([ordinary.ModerationLabels, ordinary.ContentTypes], [[], []]);
  assert.equal(ordinary.ModerationModelVersion, "7.0");
  const omitted = headers()["x-overt-omitted"].split(", ");
  for (const name of ["Hate Symbols", "Graphic Violence", "Middle Finger"]) assert.ok(omitted.includes(name), name);
  for (const name of ["Explicit", "Explicit Nudity", "Weapons"]) assert.ok(!omitted.includes(name), name);
  const all = await client.detectModerationLabels({ Image: photo("coffee.png"), MinConfidence: 0 });
  const levels = new Map(all.ModerationLabels.map((label) => [label.Name, label]));
  assert.deepEqual([levels.get("Explicit").TaxonomyLevel, levels.get("Explicit").ParentName], [1, ""]);
  assert.deepEqual([levels.get("Explicit Nudity").TaxonomyLevel, levels.get("Explicit Nudity").ParentName], [
    2, "Explicit",
  ]);
  const ProjectVersion = "arn:aws:rekognition:us-east-1:000000000001:project/mine/version/first/1";
  const adapted = client.detectModerationLabels({ Image: photo("coffee.png"), ProjectVersion });
  await refused(adapted, ResourceNotFoundException);
});

test("a person's parts are found, and nothing is stated of equipment that nothing here can tell", async () => {
  const SummarizationAttributes = { MinConfidence: 80, RequiredEquipmentTypes: ["HAND_COVER"] };
  const listening = new Rekognition(PLACE);
  const headers = heard(listening);
  const answer = await listening.detectProtectiveEquipment({ Image: photo("astronaut.png"), SummarizationAttributes });
  assert.equal(answer.ProtectiveEquipmentModelVersion, "1.0");
  const [person] = answer.Persons;
  assert.deepEqual([answer.Persons.length, person.Id], [1, 0]);
  assert.ok(person.BoundingBox.Width > 0.5 && person.Confidence >= 50);
  const parts = person.BodyParts.map((part) => part.Name);
  for (const name of ["FACE", "HEAD"]) assert.ok(parts.includes(name), name);
  for (const part of person.BodyParts) assert.ok(part.Confidence >= 50 && Array.isArray(part.EquipmentDetections));
  assert.deepEqual(answer.Summary, {
    PersonsWithRequiredEquipment: [], PersonsWithoutRequiredEquipment: [], PersonsIndeterminate: [0],
  });
  assert.ok(headers()["x-overt-omitted"].split(", ").includes("HAND_COVER"));
  const nobody = await client.detectProtectiveEquipment({ Image: photo("coffee.png") });
  assert.deepEqual([nobody.Persons, nobody.Summary], [[], undefined]);
  const large = { Bytes: Buffer.alloc(LARGEST - 1) };
  const { $response } = await refused(client.detectProtectiveEquipment({ Image: large }), ImageTooLargeException);
  assert.match($response.headers["x-overt-detail"], /at most 4194304 for this operation/);
});

// Collections

test("a collection is made, described and deleted", async () => {
  const CollectionId = newName();
  const made = await client.createCollection({ CollectionId });
  assert.equal(made.StatusCode, 200);
  assert.match(made.CollectionArn, /^arn:aws:rekognition:us-east-1:\d{12}:collection\//);
  assert.ok(made.CollectionArn.endsWith(`/${CollectionId}`));
  const described = await client.describeCollection({ CollectionId });
  assert.equal(described.FaceCount, 0);
  assert.equal(described.UserCount, 0);
  assert.equal(described.CollectionARN, made.CollectionArn);
  assert.equal(described.FaceModelVersion, made.FaceModelVersion);
  assert.ok(described.CreationTimestamp instanceof Date);
  assert.ok(Math.abs(Date.now() - described.CreationTimestamp) < 60_000);
  assert.equal((await client.deleteCollection({ CollectionId })).StatusCode, 200);
  const missing = `Collection:${CollectionId} not found!`;
  await refused(client.describeCollection({ CollectionId }), ResourceNotFoundException, missing);
});

test("a collection is made only once", async () => {
  const { CollectionId } = await collection();
  const message = `The collection id: ${CollectionId} already exists`;
  await refused(client.createCollection({ CollectionId }), ResourceAlreadyExistsException, message);
});

test("nothing can be done with a collection that is not there", async () => {
  const CollectionId = newName();
  const [Image, UserId, FaceId] = [photo("obama.jpg"), "nobody", randomUUID()];
  const calls = [
    client.deleteCollection({ CollectionId }),
    client.indexFaces({ CollectionId, Image }),
    client.listFaces({ CollectionId }),
    client.deleteFaces({ CollectionId, FaceIds: [FaceId] }),
    client.searchFaces({ CollectionId, FaceId }),
    client.searchFacesByImage({ CollectionId, Image }),
    client.createUser({ CollectionId, UserId }),
    client.deleteUser({ CollectionId, UserId }),
    client.listUsers({ CollectionId }),
    client.associateFaces({ CollectionId, UserId, FaceIds: [FaceId] }),
    client.disassociateFaces({ CollectionId, UserId, FaceIds: [FaceId] }),
    client.searchUsers({ CollectionId, UserId }),
    client.searchUsersByImage({ CollectionId, Image }),
  ];
  const message = `The collection id: ${CollectionId} does not exist`;
  await Promise.all(calls.map((call) => refused(call, ResourceNotFoundException, message)));
});

test("a collection id outside the pattern is refused", async () => {
  for (const CollectionId of ["bad id!", "\u00e9t\u00e9", "new-line\n", "", "a".repeat(256), undefined]) {
    const error = await refused(client.createCollection({ CollectionId }), "ValidationException");
    assert.match(error.message, /^\d validation errors? detected: Value .* at 'collectionId' failed to satisfy/s);
  }
});

test("every broken rule of a request is named", async () => {
  const call = client.listFaces({ CollectionId: "bad id!", MaxResults: -1 });
  const { message } = await refused(call, "ValidationException");
  assert.match(message, /^2 validation errors detected: .*'collectionId'.*'maxResults'/);
});

test("a value of the wrong type is refused", async () => {
  const { CollectionId } = await collection();
  for (const MaxResults of ["two", 2.5, true, [2]]) {
    await refused(client.listFaces({ CollectionId, MaxResults }), "SerializationException");
  }
  const Image = photo("obama.jpg");
  for (const FaceMatchThreshold of [NaN, Infinity]) {
    await refused(client.searchFacesByImage({ CollectionId, Image, FaceMatchThreshold }), "SerializationException");
  }
});

test("collections are listed page by page", async () => {
  const made = [];
  for (let count = 0; count < 5; count += 1) made.push((await collection()).CollectionId);
  const pages = await all(paginateListCollections({ client, pageSize: 2 }, {}));
  for (const { CollectionIds, FaceModelVersions } of pages) {
    assert.ok(CollectionIds.length <= 2);
    assert.equal(CollectionIds.length, FaceModelVersions.length);
  }
  const listed = pages.flatMap((page) => page.CollectionIds);
  assert.deepEqual(sorted(listed.filter((name) => made.includes(name))), sorted(made));
  assert.equal(new Set(listed).size, listed.length);
});

test("a NextToken that was changed or belongs to another request is refused", async () => {
  const { CollectionId } = await collection();
  await collection();
  const { NextToken } = await client.listCollections({ MaxResults: 1 });
  const text = "Invalid Pagination Token";
  for (const token of [`${NextToken}x`, `x${NextToken}`, "garbled"]) {
    await refused(client.listCollections({ NextToken: token }), InvalidPaginationTokenException, text);
  }
  await refused(client.listFaces({ CollectionId, NextToken }), InvalidPaginationTokenException, text);
});

test("a collection's ARN is of the client's region", async () => {
  const CollectionId = newName();
  const { CollectionArn } = await new Rekognition({ ...PLACE, region: "eu-west-1" }).createCollection({ CollectionId });
  assert.match(CollectionArn, /^arn:aws:rekognition:eu-west-1:/);
});

// Faces

test("a face is indexed under the name given with its picture", async () => {
  const { CollectionId } = await collection();
  const picture = { CollectionId, Image: photo("obama.jpg"), ExternalImageId: "president:44" };
  const { FaceRecords, UnindexedFaces, FaceModelVersion } = await client.indexFaces(picture);
  assert.equal(FaceRecords.length, 1);
  assert.deepEqual(UnindexedFaces, []);
  const [{ Face, FaceDetail }] = FaceRecords;
  assert.match(Face.FaceId, UUID);
  assert.match(Face.ImageId, UUID);
  assert.equal(Face.ExternalImageId, "president:44");
  assert.ok(FaceModelVersion.endsWith(`-${Face.IndexFacesModelVersion}`));
  assert.equal(Face.UserId, undefined);
  assert.deepEqual(Face.BoundingBox, FaceDetail.BoundingBox);
  assert.equal(FaceDetail.Landmarks.length, 5);
  assert.equal((await client.describeCollection({ CollectionId })).FaceCount, 1);
});

test("a picture that is indexed twice leaves one face", async () => {
  const { CollectionId } = await collection();
  const [first] = await indexed(CollectionId, "obama.jpg");
  const [second] = await indexed(CollectionId, "obama.jpg");
  assert.equal(first, second);
  assert.equal((await client.describeCollection({ CollectionId })).FaceCount, 1);
});

test("faces beyond MaxFaces are not indexed, and the reason is given", async () => {
  const { CollectionId } = await collection();
  const answer = await client.indexFaces({
    CollectionId, Image: photo("pair.jpg"), MaxFaces: 1, DetectionAttributes: ["GENDER"],
  });
  assert.equal(answer.FaceRecords.length, 1);
  assert.equal(answer.UnindexedFaces.length, 1);
  assert.deepEqual(answer.UnindexedFaces[0].Reasons, ["EXCEEDS_MAX_FACES"]);
  const [larger, smaller] = [answer.FaceRecords[0].FaceDetail, answer.UnindexedFaces[0].FaceDetail];
  assert.ok(larger.BoundingBox.Width > smaller.BoundingBox.Width);
  assert.equal(larger.Gender.Value, "Male");
});

test("a picture without a face indexes nothing", async () => {
  const { CollectionId } = await collection();
  const answer = await client.indexFaces({ CollectionId, Image: photo("coffee.png") });
  assert.deepEqual([answer.FaceRecords, answer.UnindexedFaces], [[], []]);
});

test("an ExternalImageId outside the pattern is refused", async () => {
  const { CollectionId } = await collection();
  const call = client.indexFaces({ CollectionId, Image: photo("obama.jpg"), ExternalImageId: "with space" });
  assert.match((await refused(call, "ValidationException")).message, /'externalImageId'/);
});

test("faces are listed page by page in the order of their enrolment", async () => {
  const { CollectionId } = await collection();
  const made = await indexed(CollectionId, "obama.jpg", "biden.jpg", "obama2.jpg", "astronaut.png", "obama3.jpg");
  const pages = await all(paginateListFaces({ client, pageSize: 2 }, { CollectionId }));
  assert.deepEqual(pages.map((page) => page.Faces.length), [2, 2, 1]);
  const faces = pages.flatMap((page) => page.Faces);
  assert.deepEqual(faces.map((face) => face.FaceId), made);
  assert.equal(faces[1].ExternalImageId, "biden.jpg");
  const chosen = await client.listFaces({ CollectionId, FaceIds: [made[3], randomUUID()] });
  assert.deepEqual(chosen.Faces.map((face) => face.FaceId), [made[3]]);
});

test("faces like an indexed face are found, best first, without that face", async () => {
  const { CollectionId } = await collection();
  const [FaceId, ...others] = await indexed(CollectionId, "obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg");
  const { SearchedFaceId, FaceMatches } = await client.searchFaces({ CollectionId, FaceId });
  assert.equal(SearchedFaceId, FaceId);
  assert.deepEqual(sorted(FaceMatches.map((match) => match.Face.FaceId)), sorted(others.slice(0, 2)));
  assert.ok(FaceMatches[0].Similarity >= FaceMatches[1].Similarity && FaceMatches[1].Similarity >= 80);
  const best = await client.searchFaces({ CollectionId, FaceId, MaxFaces: 1 });
  assert.deepEqual(best.FaceMatches, FaceMatches.slice(0, 1));
  const lenient = await client.searchFaces({ CollectionId, FaceId, FaceMatchThreshold: 0 });
  assert.equal(lenient.FaceMatches.length, 3);
  assert.equal(lenient.FaceMatches[2].Face.FaceId, others[2]);
});

test("searching for a face that is not there is refused", async () => {
  const { CollectionId } = await collection();
  const unknown = client.searchFaces({ CollectionId, FaceId: randomUUID() });
  await refused(unknown, InvalidParameterException, "faceId was not found in the collection.");
  await refused(client.searchFaces({ CollectionId, FaceId: "not-a-uuid" }), "ValidationException");
});

test("faces like the one in a picture are found", async () => {
  const { CollectionId } = await collection();
  const [obama] = await indexed(CollectionId, "obama.jpg", "biden.jpg");
  const answer = await client.searchFacesByImage({ CollectionId, Image: photo("obama3.jpg") });
  assert.deepEqual(answer.FaceMatches.map((match) => match.Face.FaceId), [obama]);
  assert.equal(answer.FaceMatches[0].Face.ExternalImageId, "obama.jpg");
  assert.ok(answer.SearchedFaceConfidence > 50);
  assert.ok(answer.SearchedFaceBoundingBox.Width > 0);
  const stranger = await client.searchFacesByImage({ CollectionId, Image: photo("astronaut.png") });
  assert.deepEqual(stranger.FaceMatches, []);
});

test("searching faces by a picture without a face is refused", async () => {
  const { CollectionId } = await collection();
  const call = client.searchFacesByImage({ CollectionId, Image: photo("coffee.png") });
  await refused(call, InvalidParameterException, NO_FACE);
});

test("faces are deleted, and those that are not there are named", async () => {
  const { CollectionId } = await collection();
  const [gone, kept] = await indexed(CollectionId, "obama.jpg", "biden.jpg");
  const unknown = randomUUID();
  const answer = await client.deleteFaces({ CollectionId, FaceIds: [gone, unknown] });
  assert.deepEqual(answer.DeletedFaces, [gone]);
  assert.deepEqual(answer.UnsuccessfulFaceDeletions, [{ FaceId: unknown, Reasons: ["FACE_NOT_FOUND"] }]);
  const { Faces } = await client.listFaces({ CollectionId });
  assert.deepEqual(Faces.map((face) => face.FaceId), [kept]);
});

test("a face of a user is not deleted before it is taken from the user", async () => {
  const { CollectionId } = await collection();
  const [FaceId] = await enrolled(CollectionId, "obama", "obama.jpg");
  const refusal = await client.deleteFaces({ CollectionId, FaceIds: [FaceId] });
  assert.deepEqual(refusal.DeletedFaces, []);
  assert.deepEqual(refusal.UnsuccessfulFaceDeletions, [
    { FaceId, UserId: "obama", Reasons: ["ASSOCIATED_TO_AN_EXISTING_USER"] },
  ]);
  await client.disassociateFaces({ CollectionId, UserId: "obama", FaceIds: [FaceId] });
  assert.deepEqual((await client.deleteFaces({ CollectionId, FaceIds: [FaceId] })).DeletedFaces, [FaceId]);
});

// Users

test("a user is made, gets faces, loses them and is deleted", async () => {
  const { CollectionId } = await collection();
  const UserId = "obama:44";
  await client.createUser({ CollectionId, UserId });
  assert.deepEqual((await client.listUsers({ CollectionId })).Users, [{ UserId, UserStatus: "CREATED" }]);
  assert.equal((await client.describeCollection({ CollectionId })).UserCount, 1);
  const FaceIds = await indexed(CollectionId, "obama.jpg", "obama2.jpg", "biden.jpg");
  const own = FaceIds.slice(0, 2);
  const given = await client.associateFaces({ CollectionId, UserId, FaceIds: own });
  assert.deepEqual(given.AssociatedFaces, own.map((FaceId) => ({ FaceId })));
  assert.deepEqual(given.UnsuccessfulFaceAssociations, []);
  assert.ok(["ACTIVE", "UPDATING"].includes(given.UserStatus));
  assert.deepEqual((await client.listUsers({ CollectionId })).Users, [{ UserId, UserStatus: "ACTIVE" }]);
  const { Faces } = await client.listFaces({ CollectionId, UserId });
  assert.deepEqual(Faces.map((face) => [face.FaceId, face.UserId]), own.map((FaceId) => [FaceId, UserId]));
  const taken = await client.disassociateFaces({ CollectionId, UserId, FaceIds: [own[0], FaceIds[2]] });
  assert.deepEqual(taken.DisassociatedFaces, [{ FaceId: own[0] }]);
  assert.deepEqual(taken.UnsuccessfulFaceDisassociations, [{ FaceId: FaceIds[2], Reasons: ["FACE_NOT_FOUND"] }]);
  await client.deleteUser({ CollectionId, UserId });
  assert.deepEqual((await client.listUsers({ CollectionId })).Users, []);
  assert.equal((await client.listFaces({ CollectionId })).Faces.length, 3);
  await refused(client.deleteUser({ CollectionId, UserId }), ResourceNotFoundException);
});

test("a user id outside the pattern is refused", async () => {
  const { CollectionId } = await collection();
  for (const UserId of ["with space", "a".repeat(129), ""]) {
    const { message } = await refused(client.createUser({ CollectionId, UserId }), "ValidationException");
    assert.match(message, /'userId'/);
  }
});

test("users are listed page by page", async () => {
  const { CollectionId } = await collection();
  const names = ["ada", "bob", "cleo", "dan", "eve"];
  await Promise.all(names.map((UserId) => client.createUser({ CollectionId, UserId })));
  const pages = await all(paginateListUsers({ client, pageSize: 2 }, { CollectionId }));
  assert.deepEqual(pages.map((page) => page.Users.length), [2, 2, 1]);
  assert.deepEqual(sorted(pages.flatMap((page) => page.Users.map((user) => user.UserId))), names);
});

test("a face that is not there, of another user or of another person is not given to a user", async () => {
  const { CollectionId } = await collection();
  await enrolled(CollectionId, "obama", "obama.jpg");
  const [taken] = await enrolled(CollectionId, "biden", "biden.jpg");
  const [other] = await indexed(CollectionId, "astronaut.png");
  const missing = randomUUID();
  const answer = await client.associateFaces({ CollectionId, UserId: "obama", FaceIds: [missing, taken, other] });
  assert.deepEqual(answer.AssociatedFaces, []);
  const [first, second, third] = answer.UnsuccessfulFaceAssociations;
  assert.deepEqual(first, { FaceId: missing, Reasons: ["FACE_NOT_FOUND"] });
  assert.deepEqual(second, { FaceId: taken, UserId: "biden", Reasons: ["ASSOCIATED_TO_A_DIFFERENT_USER"] });
  assert.deepEqual([third.FaceId, third.Reasons], [other, ["LOW_MATCH_CONFIDENCE"]]);
  assert.ok(third.Confidence < 75);
});

test("a face is not taken from a user it does not belong to", async () => {
  const { CollectionId } = await collection();
  await client.createUser({ CollectionId, UserId: "biden" });
  const [FaceId] = await enrolled(CollectionId, "obama", "obama.jpg");
  const answer = await client.disassociateFaces({ CollectionId, UserId: "biden", FaceIds: [FaceId] });
  assert.deepEqual(answer.DisassociatedFaces, []);
  assert.deepEqual(answer.UnsuccessfulFaceDisassociations, [
    { FaceId, UserId: "obama", Reasons: ["ASSOCIATED_TO_A_DIFFERENT_USER"] },
  ]);
});

test("users like a user or like an indexed face are found", async () => {
  const { CollectionId } = await collection();
  const [FaceId] = await enrolled(CollectionId, "obama", "obama.jpg");
  await enrolled(CollectionId, "barack", "obama2.jpg", "obama3.jpg");
  await enrolled(CollectionId, "biden", "biden.jpg");
  const byUser = await client.searchUsers({ CollectionId, UserId: "obama" });
  assert.deepEqual(byUser.SearchedUser, { UserId: "obama" });
  assert.equal(byUser.SearchedFace, undefined);
  assert.deepEqual(byUser.UserMatches.map((match) => match.User), [{ UserId: "barack", UserStatus: "ACTIVE" }]);
  assert.ok(byUser.UserMatches[0].Similarity >= 80);
  const byFace = await client.searchUsers({ CollectionId, FaceId });
  assert.deepEqual(byFace.SearchedFace, { FaceId });
  assert.equal(byFace.SearchedUser, undefined);
  assert.deepEqual(byFace.UserMatches.map((match) => match.User.UserId), ["obama", "barack"]);
  assert.equal((await client.searchUsers({ CollectionId, FaceId, MaxUsers: 1 })).UserMatches.length, 1);
});

test("a search for users names one user or one face that is there", async () => {
  const { CollectionId } = await collection();
  const [FaceId, UserId] = [randomUUID(), "nobody"];
  await refused(client.searchUsers({ CollectionId }), InvalidParameterException);
  await refused(client.searchUsers({ CollectionId, FaceId, UserId }), InvalidParameterException);
  await refused(client.searchUsers({ CollectionId, UserId }), ResourceNotFoundException);
});

test("users like the largest face in a picture are found, and the other faces are named", async () => {
  const { CollectionId } = await collection();
  await enrolled(CollectionId, "obama", "obama2.jpg", "obama3.jpg");
  await enrolled(CollectionId, "biden", "biden.jpg");
  const answer = await client.searchUsersByImage({ CollectionId, Image: photo("pair.jpg") });
  assert.deepEqual(answer.UserMatches.map((match) => match.User.UserId), ["obama"]);
  assert.ok(answer.SearchedFace.FaceDetail.BoundingBox.Width > 0);
  assert.deepEqual(answer.UnsearchedFaces.map((face) => face.Reasons), [["FACE_NOT_LARGEST"]]);
});

test("searching users by a picture without a face finds nobody", async () => {
  const { CollectionId } = await collection();
  await enrolled(CollectionId, "obama", "obama.jpg");
  const answer = await client.searchUsersByImage({ CollectionId, Image: photo("coffee.png") });
  assert.deepEqual(answer.UserMatches, []);
  assert.equal(answer.SearchedFace, undefined);
});

// Idempotency

test("the SDK gives every write to users a token of its own", async () => {
  const { CollectionId } = await collection();
  const watched = new Rekognition(PLACE);
  const tokens = [];
  watched.middlewareStack.add(
    (next) => (call) => {
      tokens.push(JSON.parse(call.request.body).ClientRequestToken);
      return next(call);
    },
    { step: "build" },
  );
  const [FaceId] = await indexed(CollectionId, "obama.jpg");
  const [user, faces] = [{ CollectionId, UserId: "obama" }, { FaceIds: [FaceId] }];
  await watched.createUser(user);
  await watched.associateFaces({ ...user, ...faces });
  await watched.disassociateFaces({ ...user, ...faces });
  await watched.deleteUser(user);
  assert.equal(new Set(tokens).size, 4);
  for (const token of tokens) assert.match(token, UUID);
});

test("a user is made only once", async () => {
  const { CollectionId } = await collection();
  await client.createUser({ CollectionId, UserId: "obama" });
  await refused(client.createUser({ CollectionId, UserId: "obama" }), ConflictException);
});

test("a write that comes again with its token is done once and answered alike", async () => {
  const { CollectionId } = await collection();
  const user = { CollectionId, UserId: "obama" };
  const creation = { ...user, ClientRequestToken: randomUUID() };
  await client.createUser(creation);
  await client.createUser(creation);
  const FaceIds = await indexed(CollectionId, "obama.jpg");
  const association = { ...user, FaceIds, ClientRequestToken: randomUUID() };
  const { $metadata: one, ...first } = await client.associateFaces(association);
  const { $metadata: two, ...second } = await client.associateFaces(association);
  assert.deepEqual(second, first);
  assert.notEqual(one.requestId, two.requestId);
  const deletion = { ...user, ClientRequestToken: randomUUID() };
  await client.deleteUser(deletion);
  await client.deleteUser(deletion);
});

test("a token that comes again with other parameters is refused", async () => {
  const { CollectionId } = await collection();
  const ClientRequestToken = randomUUID();
  await client.createUser({ CollectionId, UserId: "obama", ClientRequestToken });
  const message = `The ClientRequestToken: ${ClientRequestToken} you have supplied is already in use.`;
  const call = client.createUser({ CollectionId, UserId: "biden", ClientRequestToken });
  await refused(call, IdempotentParameterMismatchException, message);
});

// Tags

test("a collection is tagged when it is made and later", async () => {
  const { ResourceArn } = await collection({ Tags: { team: "door", "cost/centre": "12" } });
  const tags = async () => (await client.listTagsForResource({ ResourceArn })).Tags;
  assert.deepEqual(await tags(), { team: "door", "cost/centre": "12" });
  await client.tagResource({ ResourceArn, Tags: { team: "gate", "\u00c9tage": "" } });
  assert.deepEqual(await tags(), { team: "gate", "cost/centre": "12", "\u00c9tage": "" });
  await client.untagResource({ ResourceArn, TagKeys: ["team", "never there"] });
  assert.deepEqual(await tags(), { "cost/centre": "12", "\u00c9tage": "" });
});

test("tags end with their collection", async () => {
  const CollectionId = newName();
  const first = await client.createCollection({ CollectionId, Tags: { team: "door" } });
  await client.deleteCollection({ CollectionId });
  await client.createCollection({ CollectionId });
  assert.deepEqual((await client.listTagsForResource({ ResourceArn: first.CollectionArn })).Tags, {});
});

test("a resource that is not there has no tags", async () => {
  const { ResourceArn } = await collection();
  const missing = { ResourceArn: `${ResourceArn}-not` };
  await refused(client.listTagsForResource(missing), ResourceNotFoundException);
  await refused(client.tagResource({ ...missing, Tags: { team: "door" } }), ResourceNotFoundException);
  await refused(client.untagResource({ ...missing, TagKeys: ["team"] }), ResourceNotFoundException);
});

test("a tag's key may not begin with aws", async () => {
  const { ResourceArn } = await collection();
  await refused(client.tagResource({ ResourceArn, Tags: { "aws:team": "door" } }), "ValidationException");
});

// The service

test("an operation that is not offered is refused in words", async () => {
  const error = await refused(client.recognizeCelebrities({ Image: photo("coffee.png") }), AccessDeniedException);
  assert.match(error.message, /^RecognizeCelebrities is not offered/);
});

test("the cause of an error is in a header that the SDK hands on", async () => {
  const call = client.compareFaces({ SourceImage: photo("obama.jpg"), TargetImage: photo("coffee.png") });
  const error = await refused(call, InvalidParameterException, "Request has invalid parameters");
  assert.equal(error.$response.headers["x-overt-detail"], "no face was found in the target image");
  assert.equal(error.$response.headers["x-amzn-requestid"], error.$metadata.requestId);
});

test("a wrong secret is refused", async () => {
  const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: "wrong" };
  const call = new Rekognition({ ...PLACE, credentials }).listCollections({});
  const { message } = await refused(call, "InvalidSignatureException");
  assert.match(message, /^The request signature we calculated does not match the signature you provided\./);
});

test("an unknown access key is refused", async () => {
  const credentials = { accessKeyId: "AKIANOBODY", secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY };
  const call = new Rekognition({ ...PLACE, credentials }).listCollections({});
  const message = "The security token included in the request is invalid.";
  await refused(call, "UnrecognizedClientException", message);
});

test("a client whose clock is wrong is set right by the SDK and answered", async (t) => {
  const now = Date.now;
  for (const hours of [-1, 1]) {
    const clock = t.mock.method(Date, "now", () => now() + hours * 3_600_000);
    const { $metadata } = await new Rekognition(PLACE).listCollections({});
    clock.mock.restore();
    assert.deepEqual([$metadata.httpStatusCode, $metadata.attempts], [200, 2]);
  }
});

test("AWS_ENDPOINT_URL_REKOGNITION alone leads a client to the server", async (t) => {
  const { CollectionId } = await collection();
  process.env.AWS_ENDPOINT_URL_REKOGNITION = process.env.OVERT_URL;
  t.after(() => delete process.env.AWS_ENDPOINT_URL_REKOGNITION);
  const plain = new RekognitionClient({ region: "us-east-1" });
  const pages = await all(paginateListCollections({ client: plain }, {}));
  assert.ok(pages.some((page) => page.CollectionIds.includes(CollectionId)));
  assert.equal((await plain.send(new ListCollectionsCommand({}))).$metadata.httpStatusCode, 200);
});

test("all 25 operations were answered in the tests above", () => {
  assert.deepEqual(sorted(answered), OPERATIONS.trim().split(/\s+/));
});
