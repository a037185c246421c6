using System.Net;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Up;

/// <summary>Reads where something listens.</summary>
internal static class Addresses
{
    /// <exception cref="CliException">The text is no address and port.</exception>
    public static IPEndPoint EndPoint(string option, string text)
    {
        text = text.Replace("localhost", "127.0.0.1", StringComparison.OrdinalIgnoreCase);
        if (IPEndPoint.TryParse(text, out var endPoint) && text.Contains(':', StringComparison.Ordinal))
            return endPoint;
        throw new CliException(ExitCodes.Usage, $"{option} {text}: expected ADDRESS:PORT, such as 127.0.0.1:7070 or [::]:7070.");
    }
}
