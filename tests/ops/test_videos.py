# SPDX-License-Identifier: Apache-2.0
"""Stored videos through boto3: every kind of job, its pages in every order, and what cannot be begun or read."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions
import filming
import pytest

CLIPS = "clips"


@pytest.fixture(scope="session")
def films(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of films, made once: two people one after the other, a person who returns, words, nothing."""
    folder = tmp_path_factory.mktemp("films")
    obama, biden = photos / "obama2.jpg", photos / "biden.jpg"
    made = {
        "people.mp4": (filming.passing(obama, 2), filming.empty(1), filming.passing(biden, 2)),
        "sign.mp4": (filming.empty(1), filming.sign("NO ENTRY", 2)),
        "empty.mp4": (filming.empty(1),),
        "coffee.mp4": (filming.passing(photos / "coffee.png", 2, still=True), filming.empty(2)),
    }
    for name, parts in made.items():
        (folder / name).write_bytes(filming.film(itertools.chain(*parts)))
    (folder / "notes.mp4").write_text("not a film")
    (folder / "cut.mp4").write_bytes((folder / "people.mp4").read_bytes()[:3000])
    return folder


@pytest.fixture(scope="session")
def served(start_server: Callable[..., Any], films: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with the films in a bucket."""
    buckets = tmp_path_factory.mktemp("buckets")
    shutil.copytree(films, buckets / CLIPS)
    return start_server(OVERT_BUCKETS=str(buckets))


@pytest.fixture(scope="session")
def videos(served: Any) -> Any:
    return served.client()


@pytest.fixture(scope="session")
def gallery(videos: Any, photos: Path) -> str:
    videos.create_collection(CollectionId="staff")
    for name in ("obama.jpg", "biden.jpg"):
        image = {"Bytes": (photos / name).read_bytes()}
        videos.index_faces(CollectionId="staff", Image=image, ExternalImageId=name.removesuffix(".jpg"))
    return "staff"


def video(name: str) -> dict[str, Any]:
    return {"S3Object": {"Bucket": CLIPS, "Name": name}}


def wait(get: Callable[..., Any], job: Mapping[str, Any], **order: Any) -> dict[str, Any]:
    """The first page of a job that is over."""
    end = time.monotonic() + 90
    while (answer := get(JobId=job["JobId"], **order))["JobStatus"] == "IN_PROGRESS":
        assert time.monotonic() < end, "the job takes too long"
        time.sleep(0.1)
    return dict(answer)


def code(error: pytest.ExceptionInfo[botocore.exceptions.ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


# Each kind


def test_labels_come_by_the_frame_and_in_spans(videos: Any) -> None:
    job = videos.start_label_detection(Video=video("coffee.mp4"), JobTag="kitchen", MinConfidence=60)
    answer = wait(videos.get_label_detection, job)
    assert answer["JobStatus"] == "SUCCEEDED"
    assert (answer["JobTag"], answer["Video"]) == ("kitchen", video("coffee.mp4"))
    assert answer["VideoMetadata"]["Codec"] == "h264"
    assert answer["VideoMetadata"]["DurationMillis"] == 4000
    assert (answer["VideoMetadata"]["FrameWidth"], answer["VideoMetadata"]["FrameHeight"]) == (640, 360)
    times = [label["Timestamp"] for label in answer["Labels"] if label["Label"]["Name"] == "Espresso"]
    assert times == [0, 520, 1000, 1520]
    assert all(label["Label"]["Confidence"] >= 60 for label in answer["Labels"])
    tables = [label["Label"] for label in answer["Labels"] if label["Label"]["Name"] == "Dining Table"]
    assert all(table["Instances"] for table in tables)
    spans = videos.get_label_detection(JobId=job["JobId"], AggregateBy="SEGMENTS")
    (table,) = [span for span in spans["Labels"] if span["Label"]["Name"] == "Dining Table"]
    assert (table["StartTimestampMillis"], table["EndTimestampMillis"], table["DurationMillis"]) == (0, 2020, 2020)
    assert table["Timestamp"] == 0
    assert table["Label"]["Instances"] == []
    assert spans["GetRequestMetadata"] == {"SortBy": "TIMESTAMP", "AggregateBy": "SEGMENTS"}


def test_labels_are_filtered(videos: Any) -> None:
    wanted = {"GeneralLabels": {"LabelInclusionFilters": ["Espresso"]}}
    job = videos.start_label_detection(Video=video("coffee.mp4"), Settings=wanted)
    assert {label["Label"]["Name"] for label in wait(videos.get_label_detection, job)["Labels"]} == {"Espresso"}


@pytest.mark.parametrize("order", ["TIMESTAMP", "NAME"])
def test_pages_make_up_the_whole_in_order(videos: Any, order: str) -> None:
    job = videos.start_label_detection(Video=video("coffee.mp4"))
    whole = wait(videos.get_label_detection, job, SortBy=order)["Labels"]
    pages: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = videos.get_label_detection(JobId=job["JobId"], SortBy=order, MaxResults=7, **token)
        pages += page["Labels"]
        if "NextToken" not in page:
            break
        assert len(page["Labels"]) == 7
        token = {"NextToken": page["NextToken"]}
    assert pages == whole
    keys = [(each["Label"]["Name"] if order == "NAME" else "", each["Timestamp"]) for each in whole]
    assert keys == sorted(keys)
    other = "NAME" if order == "TIMESTAMP" else "TIMESTAMP"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        videos.get_label_detection(JobId=job["JobId"], SortBy=other, **token)
    assert code(error) == "InvalidPaginationTokenException"


def test_more_than_a_thousand_results_may_be_asked_for(videos: Any) -> None:
    job = videos.start_label_detection(Video=video("coffee.mp4"))
    assert wait(videos.get_label_detection, job, MaxResults=5000)["Labels"]


def test_faces_are_found_and_described(videos: Any) -> None:
    job = videos.start_face_detection(Video=video("people.mp4"), FaceAttributes="ALL")
    faces = wait(videos.get_face_detection, job)["Faces"]
    seen = [face["Timestamp"] for face in faces]
    assert all(time < 2000 or time >= 3000 for time in seen)
    assert {0, 1000, 3000, 4000} <= set(seen)
    detail = faces[0]["Face"]
    assert detail["Confidence"] > 80
    assert {"AgeRange", "Gender", "Emotions", "Landmarks", "Pose", "Quality"} <= set(detail)
    plain = videos.start_face_detection(Video=video("people.mp4"))
    assert "Gender" not in wait(videos.get_face_detection, plain)["Faces"][0]["Face"]


def test_each_person_is_one_and_is_known(videos: Any, gallery: str) -> None:
    job = videos.start_face_search(Video=video("people.mp4"), CollectionId=gallery)
    answer = wait(videos.get_face_search, job, SortBy="INDEX")
    people: dict[int, set[str]] = {}
    for sight in answer["Persons"]:
        names = {match["Face"]["ExternalImageId"] for match in sight["FaceMatches"]}
        people.setdefault(sight["Person"]["Index"], set()).update(names)
        assert sight["Person"]["Face"]["BoundingBox"]["Width"] > 0.05
        assert all(match["Similarity"] > 95 for match in sight["FaceMatches"])
    assert people == {0: {"obama"}, 1: {"biden"}}
    indices = [sight["Person"]["Index"] for sight in answer["Persons"]]
    assert indices == sorted(indices)
    by_time = videos.get_face_search(JobId=job["JobId"])["Persons"]
    assert [sight["Timestamp"] for sight in by_time] == sorted(sight["Timestamp"] for sight in by_time)


def test_a_stranger_is_a_person_without_matches(videos: Any, photos: Path) -> None:
    videos.create_collection(CollectionId="other")
    image = {"Bytes": (photos / "biden.jpg").read_bytes()}
    videos.index_faces(CollectionId="other", Image=image, ExternalImageId="biden")
    job = videos.start_face_search(Video=video("people.mp4"), CollectionId="other", FaceMatchThreshold=90)
    persons = wait(videos.get_face_search, job)["Persons"]
    assert next(sight["FaceMatches"] for sight in persons if sight["Timestamp"] < 2000) == []
    assert persons[-1]["FaceMatches"][0]["Face"]["ExternalImageId"] == "biden"


def test_people_are_followed(videos: Any) -> None:
    job = videos.start_person_tracking(Video=video("people.mp4"))
    persons = wait(videos.get_person_tracking, job, SortBy="INDEX")["Persons"]
    times: dict[int, list[int]] = {}
    for sight in persons:
        times.setdefault(sight["Person"]["Index"], []).append(sight["Timestamp"])
        assert sight["Person"]["BoundingBox"]["Height"] > 0.2
    lasting = [seen for seen in times.values() if len(seen) > 4]
    assert len(lasting) == 2
    assert max(lasting[0]) < 2000
    assert min(lasting[1]) >= 3000
    assert any("Face" in sight["Person"] for sight in persons)


def test_text_is_read(videos: Any) -> None:
    job = videos.start_text_detection(Video=video("sign.mp4"))
    found = wait(videos.get_text_detection, job)["TextDetections"]
    at = [each for each in found if each["Timestamp"] == 2000]
    assert [(each["TextDetection"]["Type"], each["TextDetection"]["DetectedText"]) for each in at] == [
        ("LINE", "NO ENTRY"),
        ("WORD", "NO"),
        ("WORD", "ENTRY"),
    ]
    assert [each["TextDetection"]["Id"] for each in at] == [0, 1, 2]
    assert min(each["Timestamp"] for each in found) == 1000
    left = {"RegionsOfInterest": [{"BoundingBox": {"Left": 0, "Top": 0, "Width": 0.4, "Height": 1}}]}
    job = videos.start_text_detection(Video=video("sign.mp4"), Filters=left)
    words = wait(videos.get_text_detection, job)["TextDetections"]
    assert {each["TextDetection"]["DetectedText"] for each in words if "ParentId" in each["TextDetection"]} == {"NO"}


def test_moderation_says_what_it_cannot_tell(videos: Any) -> None:
    job = videos.start_content_moderation(Video=video("empty.mp4"))
    assert "Hate Symbols" in job["ResponseMetadata"]["HTTPHeaders"]["x-overt-omitted"]
    answer = wait(videos.get_content_moderation, job)
    assert answer["JobStatus"] == "SUCCEEDED"
    assert answer["ModerationLabels"] == []
    assert answer["ModerationModelVersion"] == "7.0"
    low = videos.start_content_moderation(Video=video("coffee.mp4"), MinConfidence=0)
    spans = wait(videos.get_content_moderation, low, AggregateBy="SEGMENTS", SortBy="NAME")
    names = [span["ModerationLabel"]["Name"] for span in spans["ModerationLabels"]]
    assert names == sorted(names)
    assert spans["ModerationLabels"][0]["DurationMillis"] == 4000
    assert spans["GetRequestMetadata"] == {"SortBy": "NAME", "AggregateBy": "SEGMENTS"}


def test_shots_and_cues_have_frames_and_timecodes(videos: Any) -> None:
    job = videos.start_segment_detection(Video=video("sign.mp4"), SegmentTypes=["TECHNICAL_CUE", "SHOT"])
    answer = wait(videos.get_segment_detection, job)
    assert [each["FrameRate"] for each in answer["VideoMetadata"]] == [25]
    assert {each["Type"] for each in answer["SelectedSegmentTypes"]} == {"SHOT", "TECHNICAL_CUE"}
    shots = [each for each in answer["Segments"] if each["Type"] == "SHOT"]
    assert [(each["StartFrameNumber"], each["EndFrameNumber"]) for each in shots] == [(0, 24), (25, 74)]
    assert [each["ShotSegment"]["Index"] for each in shots] == [0, 1]
    assert shots[1]["StartTimecodeSMPTE"] == "00:00:01:00"
    assert shots[1]["DurationFrames"] == 49
    assert [each["Type"] for each in answer["Segments"]] == sorted(each["Type"] for each in answer["Segments"])
    only = videos.start_segment_detection(Video=video("sign.mp4"), SegmentTypes=["SHOT"])
    assert {each["Type"] for each in wait(videos.get_segment_detection, only)["Segments"]} == {"SHOT"}


# Once, and not at all


def test_the_same_token_is_the_same_job(videos: Any) -> None:
    asked = {"Video": video("empty.mp4"), "ClientRequestToken": "once"}
    job = videos.start_face_detection(**asked)["JobId"]
    assert len(job) == 64
    assert videos.start_face_detection(**asked)["JobId"] == job
    with pytest.raises(botocore.exceptions.ClientError) as error:
        videos.start_face_detection(**asked, JobTag="other")
    assert code(error) == "IdempotentParameterMismatchException"
    assert videos.start_face_detection(Video=video("empty.mp4"))["JobId"] != job


def test_a_job_of_another_kind_is_not_found(videos: Any) -> None:
    job = videos.start_face_detection(Video=video("empty.mp4"))["JobId"]
    for get, name in ((videos.get_text_detection, job), (videos.get_face_detection, "0" * 64)):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            get(JobId=name)
        assert code(error) == "ResourceNotFoundException"


def test_what_is_not_there_is_refused_at_once(videos: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as error:
        videos.start_label_detection(Video=video("missing.mp4"))
    assert code(error) == "InvalidS3ObjectException"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        videos.start_face_search(Video=video("people.mp4"), CollectionId="missing")
    assert code(error) == "ResourceNotFoundException"


@pytest.mark.parametrize("name", ["notes.mp4", "cut.mp4"])
def test_what_is_no_video_fails_and_says_why(videos: Any, name: str) -> None:
    answer = wait(videos.get_label_detection, videos.start_label_detection(Video=video(name)))
    assert answer["JobStatus"] == "FAILED"
    assert "video cannot be played" in answer["StatusMessage"]
    assert answer["Labels"] == []


def test_a_collection_that_goes_meanwhile_fails_the_search(videos: Any) -> None:
    videos.create_collection(CollectionId="fleeting")
    job = videos.start_face_search(Video=video("people.mp4"), CollectionId="fleeting")
    videos.delete_collection(CollectionId="fleeting")
    answer = wait(videos.get_face_search, job)
    assert answer["JobStatus"] == "FAILED"
    assert "fleeting" in answer["StatusMessage"]


def test_an_account_may_have_so_many_open_jobs(
    start_own_server: Callable[..., Any], films: Path, tmp_path: Path
) -> None:
    shutil.copytree(films, tmp_path / "buckets" / CLIPS)
    client = start_own_server(OVERT_BUCKETS=str(tmp_path / "buckets"), OVERT_OPEN_JOBS="1").client()
    job = client.start_face_detection(Video=video("people.mp4"))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        client.start_face_detection(Video=video("people.mp4"))
    assert code(error) == "LimitExceededException"
    assert "1 open Jobs" in str(error.value)
    wait(client.get_face_detection, job)
    client.start_face_detection(Video=video("people.mp4"))
