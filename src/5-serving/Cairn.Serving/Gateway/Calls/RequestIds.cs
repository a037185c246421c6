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

    private readonly string _prefix = "req_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private long _count;

    public string Next() => string.Create(CultureInfo.InvariantCulture, $"{_prefix}{Interlocked.Increment(ref _count):x8}");
}
