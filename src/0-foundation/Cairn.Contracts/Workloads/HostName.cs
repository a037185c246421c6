namespace Cairn.Contracts.Workloads;

/// <summary>A DNS name that clients reach an endpoint by, such as <c>chat.example.com</c>.</summary>
public static class HostName
{
    /// <summary>What is expected of one, for messages.</summary>
    public const string Expected = "a full DNS name such as chat.example.com, in ASCII (xn--… for others), without a port, a path or '*'";

    private const int MostLength = 253; // RFC 1035, 2.3.4, as text
    private const int MostLabelLength = 63;

    /// <summary>
    /// Reads a name: labels of letters, digits and inner hyphens (RFC 1123), at least two of them, the last with a letter, so that no
    /// address and no bare machine name is one.
    /// </summary>
    /// <param name="text">As written; a dot at the end is left out.</param>
    /// <param name="host">In lower case.</param>
    public static bool TryParse(string? text, out string host)
    {
        host = (text ?? "").TrimEnd('.').ToLowerInvariant();
        if (host.Length is 0 or > MostLength || text!.EndsWith("..", StringComparison.Ordinal))
            return false;
        var labels = host.Split('.');
        return labels.Length >= 2 && Array.TrueForAll(labels, IsLabel) && labels[^1].Any(char.IsAsciiLetter);
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= MostLabelLength && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
