using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Cairn.Serving.Gateway.Routing;

/// <summary>
/// A prompt as a chain of block hashes: two prompts share their first n hashes where they share their first n blocks. A block is 64
/// bytes, about 16 tokens, which is what engines cache by; the gateway needs no tokenizer for it.
/// </summary>
internal static class PrefixHashes
{
    public const int BlockBytes = 64;

    /// <summary>What is beyond is not looked at: 16 KiB of prefix tell replicas apart.</summary>
    public const int MostBlocks = 256;

    /// <summary>Hashes the whole blocks of a prompt.</summary>
    /// <param name="seed">Of the model and the adapter: their caches have nothing in common.</param>
    /// <param name="hashes">At least <see cref="MostBlocks"/> long.</param>
    /// <returns>How many were written.</returns>
    public static int Compute(ReadOnlySpan<byte> prompt, ulong seed, Span<ulong> hashes)
    {
        var count = Math.Min(prompt.Length / BlockBytes, MostBlocks);
        for (var i = 0; i < count; i++)
            hashes[i] = seed = XxHash3.HashToUInt64(prompt.Slice(i * BlockBytes, BlockBytes), (long)seed);
        return count;
    }

    /// <summary>The seed of a model's name and an adapter's.</summary>
    public static ulong Seed(string model, string? adapter) =>
        XxHash3.HashToUInt64(MemoryMarshal.AsBytes(adapter.AsSpan()), (long)XxHash3.HashToUInt64(MemoryMarshal.AsBytes(model.AsSpan())));
}
