# SPDX-License-Identifier: Apache-2.0
"""Every setting, once, with its meaning.

Values come from flags, then OVERT_* variables, then overt.toml in the home folder, then the defaults below; a key
that is none of these is an error.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from pydantic import Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

_PREFIX = "whsec_"  # of the secrets of web hooks. Source: Standard Webhooks 1.0.0
_CORES = os.cpu_count() or 1


class Settings(BaseSettings):
    """How one server runs."""

    model_config = SettingsConfigDict(env_prefix="OVERT_", extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=lambda: Path.home() / ".overt", description="Folder of all data: database, keys, buckets."
    )
    store: SecretStr | None = Field(
        None,
        description="URL of the database, like `postgresql://user:password@host/overt`; default: the SQLite file "
        "`overt.db` in the home folder.",
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8750, ge=0, le=65535, description="Port the server listens on; 0 = any free one.")
    account: str = Field(
        "000000000001", pattern=r"^\d{12}$", description="Account of the owner's key and of the command line."
    )
    region: str = Field(
        "us-east-1", description="Region in the lines that `overt up` prints, and in ARNs that commands show."
    )
    workers: int = Field(
        _CORES, ge=1, description="Pictures analysed at the same time, one thread each; one more may be in decoding."
    )
    video_workers: int = Field(
        max(_CORES // 2, 1), ge=1, description="Videos analysed at the same time; others wait in the queue."
    )
    open_jobs: int = Field(
        20, ge=1, description="Video jobs of one account that may wait or run; beyond that LimitExceededException."
    )
    sns_endpoint: str | None = Field(
        None, description="URL of an SNS service other than AWS, for telling that jobs are over and of streams' events."
    )
    kinesis_endpoint: str | None = Field(
        None, description="URL of a Kinesis Data Streams service other than AWS, for the results of streams."
    )
    kinesis_video_endpoint: str | None = Field(
        None, description="URL of a Kinesis Video Streams service other than AWS, for cameras that are not registered."
    )
    streams_per_account: int = Field(
        1000, ge=1, description="Stream processors of one account; beyond that LimitExceededException."
    )
    push_contact: str | None = Field(
        None,
        pattern=r"^(mailto:|https://)\S+$",
        description="Where Web Push services find whoever runs this server, `mailto:` or `https://`; some ask for it.",
    )
    parcel_megabytes: int = Field(
        256,
        ge=1,
        description="MB of a stream's results that may wait for one target that does not take them; beyond that the "
        "oldest become dead letters, which may have as much again.",
    )
    parcel_days: float = Field(
        3, gt=0, description="Days that a stream's result waits for its target; then it is a dead letter."
    )
    dead_letter_days: float = Field(
        14, gt=0, description="Days that dead letters are kept, to be looked into and sent anew."
    )
    alert_days: float = Field(
        30, gt=0, description="Days that alerts and their pictures are kept, from the beginning of the visit."
    )
    webhooks: dict[str, HttpUrl] = Field(
        default_factory=dict,
        description="Web hooks by the ARN of an SNS topic: what would be told to the topic is posted there, signed.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        description="What web hooks are signed with, `whsec_` and 24 to 64 bytes in base64 (Standard Webhooks).",
    )
    image_queue: int = Field(
        64, ge=0, description="Pictures that may wait; beyond that ProvisionedThroughputExceededException."
    )
    calls_in_flight: int = Field(
        128, ge=1, description="Calls worked on at the same time; beyond that ThrottlingException."
    )
    buckets: Path | None = Field(
        None, description="Folder whose subfolders are S3 buckets; default: `buckets` in the home folder."
    )
    s3: bool = Field(
        default=False, description="Read S3Object pictures through boto3 when no local bucket of that name is there."
    )
    s3_endpoint: str | None = Field(None, description="URL of an S3 service other than AWS; implies s3.")
    faces_per_collection: int = Field(
        20_000_000, ge=1, description="Faces one collection may hold; beyond that ServiceQuotaExceededException."
    )
    false_positive_rate: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Share of searches for people who are not enrolled that may find somebody; a "
        "collection tells the threshold that keeps to it at its present size.",
    )
    search_kernel: str = Field(
        "auto",
        description="What scans galleries: native, faiss or numpy, all with the same answers; auto: the fastest there.",
    )
    ray: str | None = Field(
        None,
        description="Ray cluster to spread over, `auto` for the one that this machine belongs to, or HOST:PORT of its "
        "head; needs PostgreSQL. Default: none, this process does all by itself.",
    )
    shards: int = Field(
        0, ge=0, description="Parts that large collections are searched in on a Ray cluster; 0 = one for each node."
    )
    sharded_from: int = Field(
        65_536,
        ge=0,
        description="Changes to a collection from which on shards search it; smaller ones the server searches itself.",
    )
    shard_seconds: float = Field(
        30,
        gt=0,
        description="How long a search waits for a shard that is lost or being restarted, and a call for a replica.",
    )
    replicas: int = Field(
        0,
        ge=0,
        description="Processes on a Ray cluster that work on calls in the server's place, models included; 0 = none.",
    )

    camera_workers: int = Field(
        0,
        ge=0,
        description="Processes on a Ray cluster that watch streams in the server's place; 0 = none. Give all servers "
        "of a database the same.",
    )
    cameras_per_worker: int = Field(
        16, ge=1, description="Streams that a process on a Ray cluster watches at the same time; others wait for room."
    )

    @model_validator(mode="after")
    def _hooks_are_signed(self) -> Settings:
        if self.webhooks or self.webhook_secret:
            secret = self.webhook_secret.get_secret_value() if self.webhook_secret else ""
            try:
                length = len(base64.b64decode(secret.removeprefix(_PREFIX), validate=True))
            except ValueError:
                length = 0
            if not (secret.startswith(_PREFIX) and 24 <= length <= 64):  # noqa: PLR2004 - as the description says
                msg = "webhooks need a webhook_secret: whsec_ and 24 to 64 bytes in base64"
                raise ValueError(msg)
        return self

    moderation_version: str = Field(
        "7.0", pattern=r"^(7\.0|6\.1)$", description="Moderation labels under the names of version 7.0, or of 6.1."
    )
    free_labels: tuple[str, ...] = Field(
        (), description="Texts that DetectLabels compares every picture with; needs an open-vocabulary model."
    )
    preload: bool = Field(default=False, description="Load every model at the start rather than when it is first used.")
    log_format: str = Field(
        "auto", pattern="^(auto|json|text)$", description="Log lines as JSON or text; auto: text on a terminal."
    )

    @property
    def database(self) -> Path:
        """The SQLite file that is the truth, unless the setting `store` names another database."""
        return self.home / "overt.db"

    @property
    def store_url(self) -> str:
        """The URL of the database. It may hold a password: for opening it, never for showing."""
        return self.store.get_secret_value() if self.store else f"sqlite:///{self.database}"

    @property
    def master_key(self) -> Path:
        """The key that wraps access keys' secrets."""
        return self.home / "master.key"

    @property
    def credentials(self) -> Path:
        """The owner's key pair as an AWS credentials file."""
        return self.home / "credentials"

    @property
    def bucket_folder(self) -> Path:
        """Where local buckets lie."""
        return self.buckets or self.home / "buckets"

    @property
    def hooks(self) -> dict[str, str]:
        """URLs of web hooks by the ARN of a topic."""
        return {topic: str(url) for topic, url in self.webhooks.items()}

    @property
    def hook_secret(self) -> bytes:
        """The bytes that web hooks are signed with; none where there are no web hooks."""
        secret = self.webhook_secret.get_secret_value() if self.webhook_secret else ""
        return base64.b64decode(secret.removeprefix(_PREFIX))

    @property
    def job_queue(self) -> Path:
        """Which video jobs this server is at; what they found is in the database."""
        return self.home / "jobs.db"

    @property
    def segments(self) -> Path:
        """Search segments: made from the database, and made anew when they are missing."""
        return self.home / "segments"

    @property
    def shard_folder(self) -> Path:
        """Search segments of the shards that run on this machine."""
        return self.home / "shards"

    @property
    def model_folder(self) -> Path:
        """Where `overt models add` puts models."""
        return self.home / "models"

    @property
    def uses_s3(self) -> bool:
        """Whether pictures may come from an S3 service."""
        return self.s3 or self.s3_endpoint is not None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes all five
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before environment before file."""
        flags = init_settings()
        home = Path(flags.get("home") or os.environ.get("OVERT_HOME") or Path.home() / ".overt")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home / "overt.toml")


def load(**flags: Any) -> Settings:
    """Settings with the flags that are not None. Raises: pydantic.ValidationError naming every bad key and value."""
    return Settings(**{name: value for name, value in flags.items() if value is not None})
