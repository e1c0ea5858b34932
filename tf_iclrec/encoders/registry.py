"""Encoders by name."""

from tf_iclrec.encoders.bidirectional import BidirectionalEncoder
from tf_iclrec.encoders.convolutional import ConvolutionalEncoder
from tf_iclrec.encoders.cross_stream import CrossStreamEncoder
from tf_iclrec.encoders.disentangled import DisentangledEncoder
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.encoders.gru import GruEncoder
from tf_iclrec.encoders.hstu import HSTUEncoder
from tf_iclrec.encoders.ligr import LiGREncoder
from tf_iclrec.encoders.matrix_factorization import MatrixFactorizationEncoder
from tf_iclrec.encoders.provider_sum import ProviderSumEncoder
from tf_iclrec.encoders.self_attentive import SelfAttentiveEncoder
from tf_iclrec.encoders.session_graph import SessionGraphEncoder
from tf_iclrec.encoders.single_stream import SingleStreamEncoder

ENCODERS: dict[str, type[Encoder]] = {
    "self_attentive": SelfAttentiveEncoder,
    "provider_sum": ProviderSumEncoder,
    "single_stream": SingleStreamEncoder,
    "cross_stream": CrossStreamEncoder,
    "bidirectional": BidirectionalEncoder,
    "gru": GruEncoder,
    "convolutional": ConvolutionalEncoder,
    "session_graph": SessionGraphEncoder,
    "disentangled": DisentangledEncoder,
    "hstu": HSTUEncoder,
    "ligr": LiGREncoder,
    "matrix_factorization": MatrixFactorizationEncoder,
}
