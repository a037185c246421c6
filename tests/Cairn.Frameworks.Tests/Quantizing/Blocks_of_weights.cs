using Cairn.Frameworks.Quantizing;
using CsCheck;

namespace Cairn.Frameworks.Tests.Quantizing;

public sealed class Blocks_of_weights
{
    private static readonly Gen<float[]> Weights = Gen.Select(Gen.Float[-1, 1].Array[1, 32],
        Gen.OneOf(new[] { 1e-6f, 0.02f, 1f, 1e6f }.Select(Gen.Const).ToArray()))
        .Select((values, scale) => values.Select(value => value * scale).ToArray());

    [Fact]
    public void An_8_bit_weight_is_within_half_a_step() => Weights.Sample(values =>
    {
        var packed = new byte[32];
        var scale = BlockQuantizer.Quantize(values, 8, packed);
        for (var i = 0; i < values.Length; i++)
            Assert.InRange(Math.Abs(BlockQuantizer.Value(packed, i, 8, scale) - values[i]), 0, Bound(scale, 0.5001));
    });

    [Fact]
    public void A_4_bit_weight_is_within_half_a_step_or_cut_by_at_most_one() => Weights.Sample(values =>
    {
        var packed = new byte[16];
        var scale = BlockQuantizer.Quantize(values, 4, packed);
        for (var i = 0; i < values.Length; i++)
        {
            var cut = values[i] / scale > 7.5;
            Assert.InRange(Math.Abs(BlockQuantizer.Value(packed, i, 4, scale) - values[i]), 0, Bound(scale, cut ? 1.0001 : 0.5001));
        }
    });

    [Fact]
    public void No_4_bit_block_is_worse_than_one_that_cuts_nothing() => Weights.Sample(values =>
    {
        var packed = new byte[16];
        var scale = BlockQuantizer.Quantize(values, 4, packed);
        var step = values.Max(Math.Abs) / 7;
        var plain = step == 0 ? 0 : values.Sum(value => Math.Pow(value - (Math.Round(value / step) * step), 2));
        var rounding = values.Max(value => (double)value * value) * 1e-9;
        var zeros = values.Length * Math.Pow(BlockQuantizer.Negligible, 2);
        Assert.InRange(BlockQuantizer.SquaredError(values, packed, 4, scale), 0, (plain * 1.001) + rounding + zeros);
    });

    [Fact]
    public void Numbers_too_small_to_divide_by_are_zeros()
    {
        var packed = new byte[16];

        Assert.Equal(0, BlockQuantizer.Quantize([-8266e-42f, -7042e-43f], 4, packed));
        Assert.All(packed, level => Assert.Equal(0x88, level));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Zeros_stay_zeros_and_the_rest_of_a_short_block_is_the_zero_point(int bits)
    {
        var packed = new byte[32 * bits / 8];

        Assert.Equal(0, BlockQuantizer.Quantize(new float[5], bits, packed));
        Assert.All(packed, level => Assert.Equal(bits == 4 ? 0x88 : 128, level));
    }

    [Fact]
    public void Two_levels_share_a_byte_the_lower_first()
    {
        var packed = new byte[16];

        var scale = BlockQuantizer.Quantize([-8f, 3f, 0f], 4, packed);

        Assert.Equal(1, scale);
        Assert.Equal([0xB0, 0x88], packed[..2]);
    }

    private static double Bound(float scale, double steps) => Math.Max(Math.Abs(scale) * steps, BlockQuantizer.Negligible);
}
