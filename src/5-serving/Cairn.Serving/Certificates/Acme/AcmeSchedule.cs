using System.IO.Hashing;
using System.Text;

namespace Cairn.Serving.Certificates.Acme;

/// <summary>When a name's certificate is asked for; pure.</summary>
internal static class AcmeSchedule
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromHours(24);

    /// <summary>
    /// At two thirds of a certificate's life, spread by the name over a twentieth of it, so that names that came together do not go
    /// together. Two thirds of 90 days leave a month for failures, as Let's Encrypt recommends.
    /// </summary>
    public static DateTimeOffset Renewal(string name, DateTimeOffset begins, DateTimeOffset ends)
    {
        var life = ends - begins;
        var spread = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(name)) / (double)ulong.MaxValue;
        return begins + life * (2 / 3.0) + life * (spread / 20);
    }

    /// <summary>After a failure: 5 minutes, doubled with each that follows up to a day, and not before the authority wants it.</summary>
    /// <param name="failures">In a row, this one counted.</param>
    public static DateTimeOffset Again(DateTimeOffset failed, int failures, TimeSpan? retryAfter)
    {
        var pause = failures > 16 ? s_longestPause : s_firstPause * Math.Pow(2, failures - 1);
        pause = pause < s_longestPause ? pause : s_longestPause;
        return failed + (retryAfter > pause ? retryAfter.Value : pause);
    }
}
