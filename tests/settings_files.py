"""Files of settings, and the configurations that they make."""

import json

from tf_iclrec.config import read_settings, resolve


def written(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def from_file(path, **given):
    model, settings = read_settings(path)
    return resolve(given.pop("model", model or "iclrec"), given, settings, model)
