using System.Collections.Frozen;

namespace Cairn.Hardware.Facts;

/// <summary>The table of accelerators that Cairn knows, read once from the data file beside this one.</summary>
public static class Accelerators
{
    private static readonly Lazy<IReadOnlyList<AcceleratorFacts>> s_all = new(AcceleratorTable.Load);

    private static readonly Lazy<FrozenDictionary<string, AcceleratorFacts>> s_byName = new(() =>
        All.SelectMany(facts => facts.Aliases.Append(facts.Name).Select(name => (Key: Normalize(name), Facts: facts)))
            .ToFrozenDictionary(entry => entry.Key, entry => entry.Facts, StringComparer.Ordinal));

    public static IReadOnlyList<AcceleratorFacts> All => s_all.Value;

    /// <summary>Canonical names, in the order of the table: a vendor's newest data-centre cards first.</summary>
    public static IReadOnlyList<string> KnownNames => field ??= [.. All.Select(facts => facts.Name)];

    /// <summary>
    /// Finds an accelerator by its canonical name, by a name that a public catalogue or a driver gives it, or by its PCI id. Letter case
    /// and the characters between words do not matter: <c>rtx_4090</c>, <c>RTX4090</c> and <c>RTX 4090</c> are one.
    /// </summary>
    /// <returns>Null where the name is unknown.</returns>
    public static AcceleratorFacts? Find(string nameOrAlias)
    {
        ArgumentNullException.ThrowIfNull(nameOrAlias);
        return s_byName.Value.GetValueOrDefault(Normalize(nameOrAlias));
    }

    /// <summary>
    /// Finds the form of an accelerator that has about this much memory: public catalogues say <c>A100</c> or <c>H100</c> of several.
    /// </summary>
    /// <param name="nameOrAlias">As in <see cref="Find(string)"/>.</param>
    /// <param name="memoryBytes">Of one accelerator, as a driver or a catalogue reports it; up to 8 % off the nominal size.</param>
    /// <returns>The fitting form of the same family, the name's own form where none fits, or null where the name is unknown.</returns>
    public static AcceleratorFacts? Find(string nameOrAlias, long memoryBytes)
    {
        var named = Find(nameOrAlias);
        if (named is null || memoryBytes <= 0 || IsAbout(named.MemoryBytes, memoryBytes))
            return named;
        var family = FamilyOf(named.Name);
        return All.FirstOrDefault(facts => FamilyOf(facts.Name) == family && IsAbout(facts.MemoryBytes, memoryBytes)) ?? named;
    }

    /// <summary>The first word of a canonical name, or two where the first is a product line: <c>A100</c>, <c>RTX-PRO</c>.</summary>
    internal static string FamilyOf(string canonicalName)
    {
        var words = canonicalName.Split('-');
        return words[0] is "RTX" or "TPU" or "JETSON" or "APPLE" && words.Length > 1 ? $"{words[0]}-{words[1]}" : words[0];
    }

    /// <summary>Letters and digits in lower case; a PCI id keeps its colon, so that it never meets a name.</summary>
    internal static string Normalize(string name) =>
        string.Create(name.Count(Kept), name, (span, source) =>
        {
            var at = 0;
            foreach (var c in source)
            {
                if (Kept(c))
                    span[at++] = char.ToLowerInvariant(c);
            }
        });

    private static bool Kept(char c) => char.IsAsciiLetterOrDigit(c) || c == ':';

    private static bool IsAbout(long nominal, long reported) => Math.Abs(reported - nominal) <= nominal * 0.08;
}
