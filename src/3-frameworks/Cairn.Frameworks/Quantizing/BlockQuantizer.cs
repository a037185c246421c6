namespace Cairn.Frameworks.Quantizing;

/// <summary>
/// Rounds weights to the nearest of 2^bits levels, block by block, symmetric about zero: value = (level − 2^(bits−1)) × scale.
/// The layout is that of com.microsoft.MatMulNBits (ONNX Runtime, ContribOperators.md): the default zero point, two 4-bit levels
/// to a byte with the lower one first.
/// </summary>
internal static class BlockQuantizer
{
    /// <summary>Blocks of smaller numbers are zeros: what a scale is divided by must not overflow.</summary>
    internal const float Negligible = 1e-35f;

    /// <summary>Quantises one block; levels past its end are the zero point.</summary>
    /// <param name="bits">4 or 8.</param>
    /// <param name="packed">One block's bytes: blockSize × bits / 8.</param>
    /// <returns>The scale; it may be negative, and is 0 for a block of zeros or of less than 1e-35.</returns>
    internal static float Quantize(ReadOnlySpan<float> block, int bits, Span<byte> packed)
    {
        var scale = Scale(block, bits);
        if (bits == 8)
            Pack8(block, scale, packed);
        else
            Pack4(block, scale, packed);
        return scale;
    }

    /// <summary>The value of a level: what the runtime computes with.</summary>
    internal static float Value(ReadOnlySpan<byte> packed, int index, int bits, float scale) =>
        bits == 8 ? (packed[index] - 128) * scale : (((packed[index / 2] >> (index % 2 * 4)) & 15) - 8) * scale;

    /// <summary>The sum of squares of what rounding changed.</summary>
    internal static double SquaredError(ReadOnlySpan<float> block, ReadOnlySpan<byte> packed, int bits, float scale)
    {
        var sum = 0.0;
        for (var i = 0; i < block.Length; i++)
        {
            var error = (double)block[i] - Value(packed, i, bits, scale);
            sum += error * error;
        }
        return sum;
    }

    /// <summary>
    /// Of two scales the one with the smaller squared error: the largest magnitude on level ±(half − 1), where nothing is cut off,
    /// or, at 4 bits, on level −half, which spends the sixteenth level and may cut values of the other sign by up to one step.
    /// </summary>
    private static float Scale(ReadOnlySpan<float> block, int bits)
    {
        var peak = 0f;
        foreach (var value in block)
            if (Math.Abs(value) > Math.Abs(peak))
                peak = value;
        if (Math.Abs(peak) < Negligible)
            return 0;
        var half = 1 << (bits - 1);
        var whole = Math.Abs(peak) / (half - 1);
        if (bits == 8)
            return whole;
        var lopsided = peak / -half;
        var ratio = lopsided / whole;
        return SquaredSteps(block, lopsided) * ratio * ratio < SquaredSteps(block, whole) ? lopsided : whole;
    }

    /// <summary>The sum of squares of the rounding errors, in steps of the scale: squares of small weights themselves would vanish.</summary>
    private static float SquaredSteps(ReadOnlySpan<float> block, float scale)
    {
        var inverse = 1 / scale;
        var sum = 0f;
        foreach (var value in block)
        {
            var error = (value * inverse) - Level4(value, inverse);
            sum += error * error;
        }
        return sum;
    }

    private static float Level4(float value, float inverse) => Math.Clamp(MathF.Round(value * inverse), -8, 7);

    private static void Pack4(ReadOnlySpan<float> block, float scale, Span<byte> packed)
    {
        var inverse = scale == 0 ? 0 : 1 / scale;
        packed.Fill(0x88);
        for (var i = 0; i < block.Length; i++)
        {
            var level = (int)Level4(block[i], inverse) + 8;
            packed[i / 2] = (byte)(i % 2 == 0 ? (packed[i / 2] & 0xF0) | level : (packed[i / 2] & 0x0F) | (level << 4));
        }
    }

    private static void Pack8(ReadOnlySpan<float> block, float scale, Span<byte> packed)
    {
        var inverse = scale == 0 ? 0 : 1 / scale;
        packed.Fill(128);
        for (var i = 0; i < block.Length; i++)
            packed[i] = (byte)(Math.Clamp(MathF.Round(block[i] * inverse), -127, 127) + 128);
    }
}
