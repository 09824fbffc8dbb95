"""The files of studies: films and pictures, in a directory beside the database.

The directory of `tuner.db` is `tuner-artifacts`: nothing else says where it is, so that the two
can be moved together.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import optuna
from optuna.artifacts import ArtifactMeta, FileSystemArtifactStore, upload_artifact
from optuna.artifacts.exceptions import ArtifactNotFound

from tuner.errors import StorageError
from tuner.storage import Store

FILMS = "films"  # the study's user attribute: kind of file → its artifact
MEDIA_TYPES = {".mp4": "video/mp4", ".png": "image/png"}


def artifacts_of(store: Store) -> FileSystemArtifactStore:
    """Where the files of its studies lie, if there are any."""
    return FileSystemArtifactStore(directory_of(store))


def directory_of(store: Store) -> Path:
    """The directory beside its database, which may not be there."""
    return store.path.with_name(f"{store.path.stem}-artifacts")


def writable_artifacts_of(store: Store) -> FileSystemArtifactStore:
    """The same, the directory made if it is missing."""
    directory = directory_of(store)
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"storage: '{directory}' cannot be made ({error.strerror})") from None
    return artifacts_of(store)


def keep_films(store: Store, name: str, files: Mapping[str, Path]) -> None:
    """The films of a study, in the place of those it had. files: by kind.

    A kind that was there before keeps its artifact, under the new file's name; one that is missing
    now is deleted as optuna-dashboard deletes.
    """
    study, artifacts = store.optuna_study(name), writable_artifacts_of(store)
    kept: dict[str, str] = dict(study.user_attrs.get(FILMS, {}))
    for kind in [kind for kind in kept if kind not in files]:
        with suppress(ArtifactNotFound):
            artifacts.remove(kept[kind])
        _describe(study, kept.pop(kind), None)
    for kind, file in files.items():
        media_type = MEDIA_TYPES[file.suffix]
        if kind in kept:
            with file.open("rb") as content:
                artifacts.write(kept[kind], content)
            _describe(study, kept[kind], ArtifactMeta(kept[kind], file.name, media_type, None))
        else:
            kept[kind] = upload_artifact(
                artifact_store=artifacts,
                file_path=str(file),
                study_or_trial=study,
                mimetype=media_type,
            )
        study.set_user_attr(FILMS, kept)


def _describe(study: optuna.Study, artifact: str, described: ArtifactMeta | None) -> None:
    """What optuna knows of an artifact, in the place it keeps it."""
    data = json.dumps(None if described is None else asdict(described))
    study._storage.set_study_system_attr(study._study_id, f"artifacts:{artifact}", data)
