"""Encoders by name."""

from tf_iclrec.encoders.cross_stream import CrossStreamEncoder
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.encoders.provider_sum import ProviderSumEncoder
from tf_iclrec.encoders.self_attentive import SelfAttentiveEncoder
from tf_iclrec.encoders.single_stream import SingleStreamEncoder

ENCODERS: dict[str, type[Encoder]] = {
    "self_attentive": SelfAttentiveEncoder,
    "provider_sum": ProviderSumEncoder,
    "single_stream": SingleStreamEncoder,
    "cross_stream": CrossStreamEncoder,
}
