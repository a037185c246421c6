namespace Cairn.Serving.Certificates.Acme;

/// <summary>What the authority, or the way to it, refused.</summary>
/// <param name="type">ACME's error without its prefix, such as <c>rateLimited</c>; <c>unreachable</c> where there was no answer.</param>
/// <param name="retryAfter">How long the authority wants to be left alone; null where it does not say.</param>
internal sealed class AcmeException(string type, string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    public string Type { get; } = type;

    public TimeSpan? RetryAfter { get; } = retryAfter;
}
