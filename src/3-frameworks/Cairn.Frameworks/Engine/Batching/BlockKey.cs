using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cairn.Frameworks.Engine.Batching;

/// <summary>
/// Names a block of tokens together with everything before it: SHA-256 over the parent's key and the block's ids, cut to 128 bits. It is
/// cryptographic because a caller who could make two prompts collide would be answered from somebody else's.
/// </summary>
internal readonly record struct BlockKey(UInt128 Value)
{
    /// <summary>
    /// Tokens of one block. Small blocks share more, large ones copy faster; 16 tokens are some hundred KB of an average model.
    /// </summary>
    public const int Tokens = 16;

    /// <summary>The parent of a first block.</summary>
    public static BlockKey Root => default;

    public static int BlocksFor(int tokens) => (tokens + Tokens - 1) / Tokens;

    public BlockKey Then(ReadOnlySpan<int> tokens)
    {
        Span<byte> text = stackalloc byte[16 + Tokens * sizeof(int)];
        BinaryPrimitives.WriteUInt128LittleEndian(text, Value);
        for (var i = 0; i < Tokens; i++)
            BinaryPrimitives.WriteInt32LittleEndian(text[(16 + i * sizeof(int))..], tokens[i]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, digest);
        return new BlockKey(BinaryPrimitives.ReadUInt128LittleEndian(digest));
    }
}
