using System.Buffers;
using System.Security.Cryptography;

namespace Cairn.State;

/// <summary>The name of a content: its SHA-256 as 64 lower-case hex digits.</summary>
public static class BlobHash
{
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdef");

    public static bool IsValid(string? hash) => hash is { Length: 64 } && !hash.AsSpan().ContainsAnyExcept(s_digits);

    /// <summary>The name of what a stream holds from here to its end.</summary>
    public static async Task<string> OfAsync(Stream content, CancellationToken cancellationToken) =>
        Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));

    public static string Of(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>A hash becomes part of a path or an address, so nothing but a hash may pass.</summary>
    internal static void Require(string hash)
    {
        if (!IsValid(hash))
            throw new ArgumentException("A blob is named by its SHA-256: 64 lower-case hex digits.", nameof(hash));
    }

    /// <summary>Copies a content of a said size and hash; throws where it is another, before its last byte is trusted.</summary>
    internal static async Task CopyAsync(Stream from, Stream to, string hash, long size, CancellationToken cancellationToken)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
        try
        {
            long total = 0;
            for (int read; (read = await from.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                total += read;
                if (total > size)
                    throw new BlobException(BlobFault.Mismatch, $"The blob {hash} was said to have {size} bytes but has more.");
                sha.AppendData(buffer, 0, read);
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
            if (total < size)
                throw new BlobException(BlobFault.Mismatch, $"The blob {hash} was said to have {size} bytes but ended after {total}.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        var actual = Convert.ToHexStringLower(sha.GetHashAndReset());
        if (actual != hash)
            throw new BlobException(BlobFault.Mismatch, $"The blob was said to be {hash} but its content is {actual}.");
    }

    internal static void RequireSize(string hash, long size, long mostBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        if (size > mostBytes)
            throw new BlobException(BlobFault.TooLarge, $"The blob {hash} has {size} bytes; at most {mostBytes} are taken.");
    }
}
