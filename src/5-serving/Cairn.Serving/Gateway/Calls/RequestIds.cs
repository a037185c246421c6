using System.Buffers;
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

    private readonly string _prefix = "req_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private long _count;

    /// <summary>Whether a text may be a request's name.</summary>
    public static bool IsOne(string text) => text.Length is >= 28 and <= 36 && text.StartsWith("req_", StringComparison.Ordinal) && text.AsSpan(4).IndexOfAnyExcept(s_hex) < 0;

    public string Next() => string.Create(CultureInfo.InvariantCulture, $"{_prefix}{Interlocked.Increment(ref _count):x8}");
}
