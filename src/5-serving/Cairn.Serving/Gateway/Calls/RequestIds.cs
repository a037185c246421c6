using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Names requests: a random part per process, so that gateways never collide, and a counter.</summary>
internal sealed class RequestIds
{
    /// <summary>The header that tells a request's name.</summary>
    public const string Header = "x-request-id";

    /// <summary>The header that tells Cairn's own time, in milliseconds.</summary>
    public const string Overhead = "cairn-overhead-ms";

    private static readonly SearchValues<char> s_hex = SearchValues.Create("0123456789abcdef");

    private readonly ulong _process = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
    private long _count;

    /// <summary>Whether a text may be a request's name.</summary>
    public static bool IsOne(string text) => text.Length is >= 28 and <= 36 && text.StartsWith("req_", StringComparison.Ordinal) && text.AsSpan(4).IndexOfAnyExcept(s_hex) < 0;

    public string Next() => new RequestNumber(_process, (ulong)Interlocked.Increment(ref _count)).ToString();
}

/// <summary>A request's name as numbers.</summary>
/// <param name="Process">The random part.</param>
/// <param name="Count">From 1.</param>
internal readonly record struct RequestNumber(ulong Process, ulong Count)
{
    /// <summary>Null where a text is no request's name.</summary>
    public static RequestNumber? Parse(string text) => !RequestIds.IsOne(text) ? null
        : new(ulong.Parse(text.AsSpan(4, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), ulong.Parse(text.AsSpan(20), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"req_{Process:x16}{Count:x8}");
}
