namespace Cairn.Contracts.Workloads;

/// <summary>
/// How the name that a person wrote stands for canonical accelerator names. A name is segments between hyphens: model first, then form
/// factor, then memory, as in <c>A100-SXM-80GB</c>.
/// </summary>
public static class AcceleratorName
{
    /// <summary>The longest name that is read, in characters.</summary>
    public const int MaxLength = 64;

    /// <summary>
    /// Upper case, with one hyphen for blanks and underscores, and no hyphen between <c>RTX</c> or <c>GTX</c> and its number: how names are
    /// written everywhere. <c>rtx 4090</c> becomes <c>RTX4090</c>. Changes nothing else; whether such an accelerator exists is not its
    /// question.
    /// </summary>
    public static string Canonical(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var upper = name.Trim().ToUpperInvariant().Replace(' ', '-').Replace('_', '-');
        return Joined(upper, "RTX-") ?? Joined(upper, "GTX-") ?? upper;

        static string? Joined(string text, string family) =>
            text.Length > family.Length && text.StartsWith(family, StringComparison.Ordinal) && char.IsAsciiDigit(text[family.Length])
                ? string.Concat(family.AsSpan(0, family.Length - 1), text.AsSpan(family.Length))
                : null;
    }

    /// <summary>
    /// True where <paramref name="canonical"/> is a kind of <paramref name="pattern"/>: the same model, and every further segment of the
    /// pattern among the further segments, in order. <c>H100</c> matches <c>H100-SXM-80GB</c>; <c>A100-80GB</c> matches <c>A100-80GB</c>
    /// and <c>A100-PCIE-80GB</c>, not <c>A100-SXM-40GB</c>; <c>A100</c> does not match <c>A1000</c>. Case and the hyphen after RTX do
    /// not matter.
    /// </summary>
    public static bool Matches(string pattern, string canonical)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(canonical);
        var wanted = new Segments(pattern);
        var had = new Segments(canonical);
        if (!wanted.Next(out var model) || !had.Next(out var hadModel) || !model.Equals(hadModel, StringComparison.OrdinalIgnoreCase)
            || !TailsMatch(ref wanted, ref had))
            return NeedsJoining(pattern, canonical) && Matches(Canonical(pattern), Canonical(canonical));
        return true;
    }

    private static bool TailsMatch(ref Segments wanted, ref Segments had)
    {
        while (wanted.Next(out var segment))
        {
            do
            {
                if (!had.Next(out var candidate))
                    return false;
                if (segment.Equals(candidate, StringComparison.OrdinalIgnoreCase))
                    break;
            }
            while (true);
        }

        return true;
    }

    /// <summary>Only names that <see cref="Canonical"/> would still change are worth its allocation.</summary>
    private static bool NeedsJoining(string pattern, string canonical)
    {
        return Loose(pattern) || Loose(canonical);

        static bool Loose(string name) =>
            name.AsSpan().IndexOfAny(' ', '_') >= 0
            || (name.Length > 4 && name[3] == '-' && char.IsAsciiDigit(name[4])
                && name.AsSpan(1, 2).Equals("TX", StringComparison.OrdinalIgnoreCase));
    }

    private ref struct Segments(ReadOnlySpan<char> name)
    {
        private ReadOnlySpan<char> _rest = name;
        private bool _ended;

        public bool Next(out ReadOnlySpan<char> segment)
        {
            segment = default;
            if (_ended)
                return false;
            var hyphen = _rest.IndexOf('-');
            _ended = hyphen < 0;
            segment = _ended ? _rest : _rest[..hyphen];
            _rest = _ended ? default : _rest[(hyphen + 1)..];
            return true;
        }
    }
}
