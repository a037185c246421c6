namespace Cairn.Contracts.Workloads;

/// <summary>Finds the word that a person probably meant.</summary>
internal static class Nearest
{
    private const int MaxLength = 64;

    /// <returns><c>; did you mean 'word'?</c>, or nothing.</returns>
    public static string Suggestion(string word, IEnumerable<string> known) =>
        Find(word, known) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>
    /// The known word at the smallest Damerau–Levenshtein distance (optimal string alignment), at most 2 and less than half of the word;
    /// failing that, one that starts with the word or that the word starts with. Case, hyphens and underscores do not matter.
    /// </summary>
    public static string? Find(string word, IEnumerable<string> known)
    {
        if (word.Length is 0 or > MaxLength)
            return null;
        var plain = Plain(word);
        string? best = null;
        var bestDistance = Math.Min(2, (plain.Length - 1) / 2) + 1;
        string? prefix = null;
        foreach (var candidate in known)
        {
            var other = Plain(candidate);
            var distance = Math.Abs(other.Length - plain.Length) < bestDistance ? Distance(plain, other) : int.MaxValue;
            if (distance < bestDistance)
                (best, bestDistance) = (candidate, distance);
            if (prefix is null && Math.Min(plain.Length, other.Length) >= 3
                && (other.StartsWith(plain, StringComparison.Ordinal) || plain.StartsWith(other, StringComparison.Ordinal)))
                prefix = candidate;
        }

        return best ?? prefix;
    }

    private static string Plain(string word) => word.ToLowerInvariant().Replace('-', '_');

    private static int Distance(string a, string b)
    {
        if (b.Length > MaxLength)
            return int.MaxValue;
        Span<int> before = stackalloc int[b.Length + 1];
        Span<int> last = stackalloc int[b.Length + 1];
        Span<int> row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(Math.Min(last[j], row[j - 1]) + 1, substitution);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
            }

            last.CopyTo(before);
            row.CopyTo(last);
        }

        return last[b.Length];
    }
}
