using Cairn.Frameworks.Sampling;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Engine;

/// <summary>The text of one generation: tokens come in, whole characters before the first stop string go out.</summary>
internal sealed class OutputText(TokenStream stream, IReadOnlyList<string> stops)
{
    private readonly StopStrings? _stops = stops.Count > 0 ? new StopStrings(stops) : null;

    public string Append(int token, out bool stopped)
    {
        stopped = false;
        var text = stream.Append(token);
        return _stops is null || text.Length == 0 ? text : _stops.Append(text, out stopped);
    }

    /// <summary>What was held back, when no stop string was found.</summary>
    public string Flush(out bool stopped)
    {
        stopped = false;
        var rest = stream.Flush();
        if (_stops is null)
            return rest;
        var text = rest.Length == 0 ? "" : _stops.Append(rest, out stopped);
        return stopped ? text : text + _stops.Flush();
    }
}
