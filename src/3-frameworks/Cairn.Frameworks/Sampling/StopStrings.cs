namespace Cairn.Frameworks.Sampling;

/// <summary>Finds stop strings across token borders: text is held back only while it may begin one. One per generation.</summary>
/// <remarks>One Knuth-Morris-Pratt automaton per string, so where the text is cut into pieces makes no difference. The string that is
/// complete first wins; of those complete at once, the longest.</remarks>
public sealed class StopStrings
{
    /// <summary>Strings per request.</summary>
    public const int MaximumCount = 16;

    /// <summary>Characters per string.</summary>
    public const int MaximumLength = 1024;

    private readonly string[] _stops;
    private readonly int[][] _borders;
    private readonly int[] _matched;
    private string _held = "";
    private bool _stopped;

    /// <exception cref="ArgumentException">A string that <see cref="Problems"/> names.</exception>
    public StopStrings(IReadOnlyList<string> stops)
    {
        if (Problems(stops) is [var problem, ..]) throw new ArgumentException(problem, nameof(stops));
        _stops = [.. stops];
        _borders = [.. stops.Select(BordersOf)];
        _matched = new int[_stops.Length];
    }

    /// <summary>What is wrong with these stop strings, for the one who sent them; empty where nothing is.</summary>
    public static IReadOnlyList<string> Problems(IReadOnlyList<string> stops)
    {
        var problems = new List<string>();
        if (stops.Count > MaximumCount) problems.Add($"stop has {stops.Count} strings; at most {MaximumCount} are taken.");
        for (var i = 0; i < stops.Count; i++)
        {
            if (string.IsNullOrEmpty(stops[i])) problems.Add($"stop[{i}] is empty; leave it out, or give the text to stop at.");
            else if (stops[i].Length > MaximumLength)
                problems.Add($"stop[{i}] has {stops[i].Length} characters; at most {MaximumLength} are taken.");
        }
        return problems;
    }

    /// <summary>The text that is certain to lie before any stop string.</summary>
    /// <param name="text">What came next.</param>
    /// <param name="stopped">Whether a stop string was found; the rest is dropped.</param>
    public string Append(string text, out bool stopped)
    {
        stopped = _stopped;
        if (stopped) return "";
        if (_stops.Length == 0) return text;
        for (var i = 0; i < text.Length; i++)
        {
            var found = Take(text[i]);
            if (found == 0) continue;
            stopped = _stopped = true;
            var kept = (_held + text)[..(_held.Length + i + 1 - found)];
            _held = "";
            return kept;
        }
        var holding = _matched.Max();
        var all = _held.Length == 0 ? text : _held + text;
        _held = all[^holding..];
        return all[..^holding];
    }

    /// <summary>What was held back, when the generation ended without a stop string.</summary>
    public string Flush()
    {
        var held = _held;
        _held = "";
        Array.Clear(_matched);
        return held;
    }

    /// <summary>The length of the longest stop string that ends with this character; 0 where none does.</summary>
    private int Take(char character)
    {
        var found = 0;
        for (var s = 0; s < _stops.Length; s++)
        {
            var stop = _stops[s];
            var matched = _matched[s];
            while (matched > 0 && stop[matched] != character) matched = _borders[s][matched - 1];
            if (stop[matched] == character) matched++;
            _matched[s] = matched;
            if (matched == stop.Length) found = Math.Max(found, matched);
        }
        return found;
    }

    /// <summary>For each prefix, the length of its longest proper prefix that is also its suffix.</summary>
    private static int[] BordersOf(string stop)
    {
        var borders = new int[stop.Length];
        for (int i = 1, border = 0; i < stop.Length; i++)
        {
            while (border > 0 && stop[i] != stop[border]) border = borders[border - 1];
            if (stop[i] == stop[border]) border++;
            borders[i] = border;
        }
        return borders;
    }
}
