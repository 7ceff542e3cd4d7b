"""Text attention: keys and values of a caption once per clip, though every frame of the clip asks them.

The frames of a clip share one caption, so their queries are one long sequence before the same keys: nothing is
repeated, nothing else changes.
"""

from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from einops import rearrange
from torch import Tensor, nn

CROSS_ATTENTION = "attn2.processor"


class ClipTextProcessor:
    """Attention processor for B captions before (B F) frames."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Map hidden_states (B F) N C, with encoder_hidden_states B L D, to (B F) N C."""
        assert encoder_hidden_states is not None, "cross-attention needs a caption"
        assert attention_mask is None, "padding is zeroed, not masked"
        batch = len(encoder_hidden_states)
        num_frames = len(hidden_states) // batch
        query = rearrange(attn.to_q(hidden_states), "(b f) n (h d) -> b h (f n) d", b=batch, h=attn.heads)
        key = rearrange(attn.to_k(encoder_hidden_states), "b l (h d) -> b h l d", h=attn.heads)
        value = rearrange(attn.to_v(encoder_hidden_states), "b l (h d) -> b h l d", h=attn.heads)
        out = nn.functional.scaled_dot_product_attention(query, key, value, scale=attn.scale)
        out = rearrange(out, "b h (f n) d -> (b f) n (h d)", f=num_frames)
        projected: Tensor = attn.to_out[1](attn.to_out[0](out))
        return projected


def read_text_once_per_clip(unet: UNet2DConditionModel) -> None:
    """Make every cross-attention of a 2D UNet take B captions before (B F) frames."""
    processors = dict(unet.attn_processors)
    for name in processors:
        if name.endswith(CROSS_ATTENTION):
            processors[name] = ClipTextProcessor()
    unet.set_attn_processor(processors)
