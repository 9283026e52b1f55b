# SPDX-License-Identifier: Apache-2.0
"""The seven operations on stream processors: cameras that are watched for people of a collection, or for things."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from overt.engine import Engine
from overt.errors import InvalidParameterException, LimitExceededException, ResourceInUseException
from overt.ops import paging, show
from overt.ops.finding import find_gallery, find_stream
from overt.ops.registry import OMITTED, operation
from overt.stores.base import ExistsError, StoreError, Unit
from overt.streams import postman, telling
from overt.streams.home import unseen
from overt.streams.regions import Regions
from overt.streams.sinks.base import TargetError
from overt.types import Box, Call, ConnectedHome, FaceSearch, Region, Session, Stored, Stream, Wanted

_PAGE = 1000
"""Stream processors of a page, at most. Source: Rekognition's API reference."""
_LEAST = 0.8
"""Similarity below which a stream matches nobody; less is raised to it. Source: FaceSearchSettings, API reference."""
_LABELS = ("PERSON", "PET", "PACKAGE", "ALL")
PULSE = "x-overt-stream"
"""Response header of DescribeStreamProcessor: how the camera and its watching go."""


@operation("CreateStreamProcessor")
def create_stream_processor(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Describe a camera that is to be watched; it is not watched before it is started."""
    wanted = _wanted(call, engine)
    account, name, now = call.caller.account, call["Name"], dt.datetime.now(dt.UTC)
    most = engine.settings.streams_per_account
    with engine.stores.write() as unit:
        if wanted.search is not None:
            _check_list(unit, call, engine)
        if unit.streams.count(account) >= most:
            raise LimitExceededException(
                f"{most} stream processors are there already",
                detail="delete one, or raise the setting streams_per_account",
            )
        stream = Stream(uuid.uuid4().hex, account, name, wanted, now, now)
        try:
            unit.streams.add(stream)
        except ExistsError:
            raise ResourceInUseException("Stream processor name already in use.") from None
        unit.tags.put(stream.arn(), call.get("Tags", {}))
    return {"StreamProcessorArn": stream.arn(call.region)}


@operation("DescribeStreamProcessor")
def describe_stream_processor(call: Call, engine: Engine) -> Mapping[str, Any]:
    """What was asked for, and how it goes."""
    with engine.stores.read() as unit:
        stream = find_stream(unit, call)
    pulse = stream.pulse
    if pulse is not None:
        call.notes[PULSE] = show.header(
            [
                f"camera={pulse.camera}",
                f"looked={pulse.looked}",
                f"rate={pulse.rate:g}/s",
                f"lag={pulse.lag:g}s",
                f"frame_rate={pulse.frame_rate:g}/s",
                f"dropped={pulse.dropped}",
                f"reconnects={pulse.reconnects}",
                f"told={pulse.told:%Y-%m-%dT%H:%M:%SZ}",
            ]
        )
    return {
        **show.wanted(stream.wanted),
        "Name": stream.name,
        "StreamProcessorArn": stream.arn(call.region),
        "Status": stream.status,
        "StatusMessage": stream.message or None,
        "CreationTimestamp": stream.created,
        "LastUpdateTimestamp": stream.updated,
    }


@operation("ListStreamProcessors")
def list_stream_processors(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The account's stream processors by name, a page at a time."""
    limit = min(call.get("MaxResults") or _PAGE, _PAGE)
    with engine.stores.read() as unit:
        rows = unit.streams.page(call.caller.account, paging.after(call, engine, ""), limit + 1)
    page = paging.cut(call, engine, rows, limit, lambda stream: stream.name)
    return {
        "StreamProcessors": [{"Name": stream.name, "Status": stream.status} for stream in page.rows],
        "NextToken": page.token,
    }


@operation("UpdateStreamProcessor")
def update_stream_processor(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Change what a processor looks for and where; one that runs does so from then on, without a break."""
    with engine.stores.write() as unit:
        stream = find_stream(unit, call)
        changed = _changed(call, engine, stream.wanted)
        unit.streams.want(stream.account, stream.name, changed)
    engine.streams.wake()
    return {}


@operation("StartStreamProcessor")
def start_stream_processor(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Have the camera watched from now on, or from where the selector says."""
    selector = (call.get("StartSelector") or {}).get("KVSStreamStartSelector") or {}
    produced = selector.get("ProducerTimestamp")
    session = Session(
        id=uuid.uuid4().hex,
        begun=dt.datetime.now(dt.UTC),
        fragment=selector.get("FragmentNumber"),
        producer_time=None if produced is None else produced / 1000,  # told in milliseconds
        seconds=(call.get("StopSelector") or {}).get("MaxDurationInSeconds"),
    )
    with engine.stores.write() as unit:
        stream = find_stream(unit, call)
        if stream.wanted.search is not None and (call.get("StartSelector") or call.get("StopSelector")):
            raise InvalidParameterException(detail="a face search runs until it is stopped: it takes no selectors")
        if session.fragment is not None and session.producer_time is not None:
            raise InvalidParameterException(detail="StartSelector: either FragmentNumber or ProducerTimestamp")
        with _in_its_state(stream, "Stream processor is already started."):
            unit.streams.start(stream.account, stream.name, session)
    engine.streams.wake()
    return {"SessionId": session.id}


@operation("StopStreamProcessor")
def stop_stream_processor(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Have the camera watched no longer."""
    with engine.stores.write() as unit:
        stream = find_stream(unit, call)
        with _in_its_state(stream, "Processor not available for stopping stream."):
            unit.streams.stop(stream.account, stream.name)
    engine.streams.wake()
    return {}


@operation("DeleteStreamProcessor")
def delete_stream_processor(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Remove a stopped processor and what it has not told yet; its alerts stay for as long as alerts do."""
    with engine.stores.write() as unit:
        stream = find_stream(unit, call)
        with _in_its_state(stream, "Stream processor must be stopped before it is deleted."):
            unit.streams.delete(stream.account, stream.name)
        unit.parcels.forget(stream.id)
        unit.tags.remove(stream.arn(), unit.tags.of(stream.arn()))
    return {}


@contextmanager
def _in_its_state(stream: Stream, refusal: str) -> Iterator[None]:
    """Raises: ResourceInUseException when the block finds that the stream's state does not allow it."""
    try:
        yield
    except StoreError:
        raise ResourceInUseException(refusal, detail=f"its status is {stream.status}") from None


def _wanted(call: Call, engine: Engine) -> Wanted:
    """What CreateStreamProcessor asks for. Raises: InvalidParameterException."""
    settings, output = call["Settings"], call["Output"]
    source = (call["Input"].get("KinesisVideoStream") or {}).get("Arn")
    if not source:
        raise InvalidParameterException(detail="Input needs a KinesisVideoStream: a camera's ARN, see `overt cameras`")
    if call.get("KmsKeyId"):
        raise InvalidParameterException(detail="KmsKeyId is not supported: nothing here encrypts with keys of KMS")
    search, home = settings.get("FaceSearch"), settings.get("ConnectedHome")
    if (search is None) == (home is None):
        raise InvalidParameterException(detail="Settings need one of FaceSearch and ConnectedHome")
    place, channel = output.get("S3Destination") or {}, call.get("NotificationChannel") or {}
    wanted = Wanted(
        source=source,
        search=None if search is None else _search(search),
        home=None if home is None else _home(call, engine, home),
        regions=_regions(call.get("RegionsOfInterest")),
        records=(output.get("KinesisDataStream") or {}).get("Arn"),
        frames=Stored(place["Bucket"], (place.get("KeyPrefix") or "").strip("/")) if place.get("Bucket") else None,
        topic=channel.get("SNSTopicArn"),
        role=call["RoleArn"],
        shares=(call.get("DataSharingPreference") or {}).get("OptIn"),
    )
    if home is not None and (wanted.frames is None or wanted.topic is None):
        raise InvalidParameterException(detail="ConnectedHome needs an S3Destination and a NotificationChannel")
    if home is not None and wanted.records is not None:
        raise InvalidParameterException(detail="ConnectedHome puts nothing into a KinesisDataStream")
    try:
        postman.check(telling.targets(wanted), engine.surroundings)
    except TargetError as error:
        raise InvalidParameterException(detail=str(error)) from error
    return wanted


def _search(settings: Mapping[str, Any]) -> FaceSearch:
    if not settings.get("CollectionId"):
        raise InvalidParameterException(detail="FaceSearch needs a CollectionId")
    return FaceSearch(settings["CollectionId"], max(settings.get("FaceMatchThreshold", 80.0) / 100, _LEAST))


def _home(call: Call, engine: Engine, settings: Mapping[str, Any]) -> ConnectedHome:
    labels = tuple(dict.fromkeys(settings["Labels"]))
    if strange := [each for each in labels if each not in _LABELS]:
        raise InvalidParameterException(detail=f"Labels are among {', '.join(_LABELS)}, not {', '.join(strange)}")
    missing = unseen(labels, engine.models)
    if asked := [each for each in missing if each in labels]:
        raise InvalidParameterException(detail=f"no installed model finds {', '.join(asked)}; see docs/streams.md")
    if missing:
        call.notes[OMITTED] = show.header(missing)
    least = settings.get("MinConfidence")
    return ConnectedHome(labels, None if least is None else least / 100)


def _regions(given: list[Mapping[str, Any]] | None) -> tuple[Region, ...]:
    regions = tuple(_region(each) for each in given or ())
    try:
        Regions(regions)
    except ValueError as error:
        raise InvalidParameterException(detail=f"RegionsOfInterest: {error}") from error
    return regions


def _region(given: Mapping[str, Any]) -> Region:
    frame, polygon = given.get("BoundingBox"), given.get("Polygon")
    if (frame is None) == (polygon is None):
        raise InvalidParameterException(detail="RegionsOfInterest: each is either a BoundingBox or a Polygon")
    if frame is None:
        return Region(polygon=tuple((point.get("X", 0.0), point.get("Y", 0.0)) for point in polygon or ()))
    return Region(box=Box(*(frame.get(side, 0.0) for side in ("Left", "Top", "Width", "Height"))))


def _check_list(unit: Unit, call: Call, engine: Engine) -> None:
    """Raises: ResourceNotFoundException; InvalidParameterException when its faces are of another model."""
    find_gallery(unit, call, engine, call["Settings"]["FaceSearch"]["CollectionId"])


def _changed(call: Call, engine: Engine, wanted: Wanted) -> Wanted:
    """What UpdateStreamProcessor makes of what was wanted. Raises: InvalidParameterException."""
    gone = set(call.get("ParametersToDelete") or ())
    home = (call.get("SettingsForUpdate") or {}).get("ConnectedHomeForUpdate")
    if wanted.home is None and (home or "ConnectedHomeMinConfidence" in gone):
        raise InvalidParameterException(detail="this processor searches for faces; it has no ConnectedHome settings")
    if home is not None and wanted.home is not None:
        labels = home.get("Labels") or wanted.home.labels
        least = home.get("MinConfidence", None if wanted.home.least is None else wanted.home.least * 100)
        wanted = replace(wanted, home=_home(call, engine, {"Labels": labels, "MinConfidence": least}))
    if "ConnectedHomeMinConfidence" in gone and wanted.home is not None:
        wanted = replace(wanted, home=replace(wanted.home, least=None))
    if call.get("RegionsOfInterestForUpdate") is not None:
        wanted = replace(wanted, regions=_regions(call["RegionsOfInterestForUpdate"]))
    if "RegionsOfInterest" in gone:
        wanted = replace(wanted, regions=())
    preference = call.get("DataSharingPreferenceForUpdate")
    return wanted if preference is None else replace(wanted, shares=preference["OptIn"])
