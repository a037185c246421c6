using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>Accelerators that a file asks for: none, one kind, or several of which any will do or the earliest is wished.</summary>
internal sealed record AcceleratorChoice(IReadOnlyList<AcceleratorSpec> Specs, bool InOrder)
{
    public static readonly AcceleratorChoice None = new([], false);
}

/// <summary>
/// Reads <c>vendor:name1,name2:memory:count</c>, every part of it optional and in any order, and the lists, sets and mappings of such. The
/// grammar is the union of SkyPilot's and dstack's: where both have a form, both mean the same by it.
/// </summary>
internal static class AcceleratorGrammar
{
    /// <summary>The most accelerators that one node may have.</summary>
    public const int MaxCount = 1024;

    private const string Form = "accelerators such as H100, H100:8, A100-80GB:1..4, 24GB+, nvidia:24GB..80GB:2, or a number of any";

    private static readonly Dictionary<string, string> s_vendors = new(StringComparer.OrdinalIgnoreCase)
    {
        ["nvidia"] = "nvidia", ["amd"] = "amd", ["intel"] = "intel", ["google"] = "google", ["tpu"] = "google", ["aws"] = "aws",
        ["habana"] = "intel", ["tenstorrent"] = "tenstorrent", ["qualcomm"] = "qualcomm", ["apple"] = "apple", ["groq"] = "groq",
        ["cerebras"] = "cerebras", ["huawei"] = "huawei",
    };

    private static readonly FieldTable<AcceleratorSpec> s_fields = new FieldTable<AcceleratorSpec>("accelerators", "accelerators.")
        .Field("names", (spec, value) => spec with { Names = value.Words("accelerator names", Name) })
        .Field("vendor", (spec, value) => spec with { Vendor = Vendor(value) }, Spelling.Dstack)
        .Field("memory", (spec, value) => spec with { MemoryBytes = Memory(value) }, Spelling.Dstack)
        .Field("count", (spec, value) => spec with { Count = Count(value) }, Spelling.Dstack)
        .Sugar(Spelling.Cairn | Spelling.Dstack, "name", "accelerators.names",
            (spec, value) => spec with { Names = value.Words("accelerator names", Name) })
        .NotActedOn(Spelling.Dstack, "total_memory", "ask for memory and count")
        .NotActedOn(Spelling.Dstack, "compute_capability", "name the accelerators that will do");

    public static FieldTable<AcceleratorSpec> Fields => s_fields;

    public static AcceleratorChoice Read(FieldValue value) => value.Node switch
    {
        YamlSequence => Choice([.. value.Items(FieldValue.MaxChoices).SelectMany(item => Read(item).Specs)], inOrder: true),
        YamlMapping mapping when mapping.Entries.Exists(entry => s_fields.Find(entry.Key.Text) is not null) =>
            Choice([value.Reader.InScope(() => s_fields.Read(value.Reader, mapping, new AcceleratorSpec()))], inOrder: false),
        YamlMapping { Entries.Count: > FieldValue.MaxChoices } set => TooMany(value, set),
        YamlMapping set => Choice([.. set.Entries.Select(entry => One(value, entry)).OfType<AcceleratorSpec>()], inOrder: false),
        _ => One(value) is { } spec ? Choice([spec], inOrder: false) : AcceleratorChoice.None,
    };

    /// <summary>The text that reads back as the same specification.</summary>
    public static string Format(AcceleratorSpec spec)
    {
        var memory = spec.MemoryBytes.IsAny ? null : Ranges.Format(spec.MemoryBytes, ByteSize.Format);
        var count = spec.Count == new Range<double>(spec.Count.Min, spec.Count.Min) && spec.Count.Min is { } exact
            ? Numbers.Format(exact)
            : Ranges.Format(spec.Count, Numbers.Format);
        string?[] parts = [spec.Vendor, spec.Names.Count > 0 ? string.Join(',', spec.Names) : null, memory];
        var kind = string.Join(':', parts.Where(part => part is not null));
        return kind.Length == 0 ? count : $"{kind}:{count}";
    }

    private static AcceleratorChoice TooMany(FieldValue value, YamlMapping set)
    {
        value.Error(DiagnosticCodes.Limit, $"{set.Entries.Count:N0} kinds are more than {FieldValue.MaxChoices}");
        return AcceleratorChoice.None;
    }

    /// <summary>Kinds that differ in nothing but the name are one kind with several names; order is kept where it is a wish.</summary>
    private static AcceleratorChoice Choice(IReadOnlyList<AcceleratorSpec> specs, bool inOrder)
    {
        if (specs.Count < 2 || inOrder)
            return new AcceleratorChoice(specs, inOrder && specs.Count > 1);
        var first = specs[0];
        var alike = specs.All(spec => spec.Names.Count > 0 && spec.Vendor == first.Vendor && spec.MemoryBytes == first.MemoryBytes
            && spec.Count == first.Count);
        IReadOnlyList<string> names = [.. specs.SelectMany(spec => spec.Names).Distinct(StringComparer.Ordinal)];
        return alike
            ? new AcceleratorChoice([first with { Names = names }], false)
            : new AcceleratorChoice(specs, false);
    }

    private static AcceleratorSpec? One(FieldValue set, YamlEntry entry)
    {
        var kind = One(set.Of(entry.Key));
        if (kind is null || entry.Value is YamlScalar { IsNull: true })
            return kind;
        return kind with { Count = Count(set.Of(entry.Value)) };
    }

    private static AcceleratorSpec? One(FieldValue value)
    {
        if (value.Scalar is not { } text || value.IsNull || text.Length > 1024)
        {
            value.Expected(Form);
            return null;
        }

        var spec = new AcceleratorSpec();
        var (hasNames, hasMemory, hasCount) = (false, false, false);
        foreach (var part in text.Split(':', StringSplitOptions.TrimEntries))
        {
            if (s_vendors.TryGetValue(part, out var vendor) && spec.Vendor is null)
                spec = spec with { Vendor = vendor };
            else if (!hasMemory && LooksLikeMemory(part) && Ranges.TrySize(part, exact: true, out var memory))
                (spec, hasMemory) = (spec with { MemoryBytes = Widen(memory) }, true);
            else if (LooksLikeMemory(part) && part.Any(char.IsAsciiLetter))
            {
                value.Expected("memory of one accelerator, such as 24GB, 24GB+ or 24GB..80GB, once");
                return null;
            }
            else if (!hasCount && part.Length > 0 && (char.IsAsciiDigit(part[0]) || part[0] == '.'))
                (spec, hasCount) = (spec with { Count = Count(value, part) }, true);
            else if (!hasNames && Names(value, part) is { } names)
                (spec, hasNames) = (spec with { Names = names }, true);
            else
            {
                value.Expected(Form);
                return null;
            }
        }

        return spec.Count.Min is not 0 || spec.Count.Max is null ? spec : Zero(value, spec);
    }

    /// <summary>No accelerator at all, or none at least: both ask for nothing.</summary>
    private static AcceleratorSpec? Zero(FieldValue value, AcceleratorSpec spec)
    {
        if (spec.Count.Max > 0)
            value.Warn(
                DiagnosticCodes.Suspicious,
                $"'{Excerpt.Of(value.Scalar!)}' asks for no accelerator at least, so none is given; ask for 1 or more");
        return null;
    }

    private static bool LooksLikeMemory(string part) =>
        part.Length > 1 && (char.IsAsciiDigit(part[0]) || part[0] == '.') && part.AsSpan().IndexOfAnyExcept("0123456789.+") >= 0;

    private static List<string>? Names(FieldValue value, string part)
    {
        var names = new List<string>();
        foreach (var name in part.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!IsName(name))
                return null;
            names.Add(Known(value, AcceleratorName.Canonical(name)));
        }

        return [.. names.Distinct(StringComparer.Ordinal)];
    }

    private static string Name(FieldValue value)
    {
        var name = value.Word("an accelerator's name").Trim();
        if (name.Length > 0 && !IsName(name))
            value.Expected("an accelerator's name such as H100 or A100-80GB");
        return Known(value, AcceleratorName.Canonical(name));
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= AcceleratorName.MaxLength && char.IsAsciiLetter(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ' ');

    /// <summary>New cards appear all the time, so an unknown name is only a warning, and only where a known one is near.</summary>
    private static string Known(FieldValue value, string name)
    {
        var known = value.Reader.Options.KnownAccelerators;
        if (name.Length == 0 || known.Count == 0 || known.Any(canonical => AcceleratorName.Matches(name, canonical)))
            return name;
        var near = Nearest.Find(name, known.Concat(known.Select(canonical => canonical.Split('-')[0])).Distinct(StringComparer.Ordinal));
        if (near is not null)
            value.Warn(DiagnosticCodes.Suspicious, $"no accelerator named '{name}' is known; did you mean '{near}'?");
        return name;
    }

    private static string? Vendor(FieldValue value)
    {
        var word = value.Word("a vendor");
        if (s_vendors.TryGetValue(word, out var vendor))
            return vendor;
        if (word.Length > 0)
            value.Error(
                DiagnosticCodes.InvalidValue, $"'{Excerpt.Of(word)}' is not a known vendor{value.Reader.Near(word, s_vendors.Keys)}");
        return null;
    }

    private static Range<long> Memory(FieldValue value)
    {
        if (value.Scalar is { } text && Ranges.TrySize(text, exact: true, out var range))
            return Widen(range);
        value.Expected("memory of one accelerator, such as 24GB, 24GB.. or 24GB..80GB");
        return default;
    }

    private static Range<double> Count(FieldValue value) => Count(value, value.Scalar ?? "");

    private static Range<double> Count(FieldValue value, string text)
    {
        if (Ranges.TryCount(text, exact: true, out var range) && IsCount(range.Min) && IsCount(range.Max))
            return range;
        value.Expected($"a count of accelerators from 1 to {MaxCount}, a range such as 1..4 or 8+, or a share below 1 such as 0.5");
        return new Range<double>(1, 1);
    }

    private static bool IsCount(double? count) => count is null or (>= 0 and < 1) || (count <= MaxCount && double.IsInteger(count.Value));

    /// <summary>
    /// A card sold as N GB has up to N GiB (an H100 of 80 GB reports 81,559 MiB), so an upper end in whole GB is taken as that many GiB.
    /// </summary>
    private static Range<long> Widen(Range<long> range) =>
        range.Max is { } max && max % ByteSize.Gigabyte == 0 && max / ByteSize.Gigabyte < 1_000_000
            ? range with { Max = max / ByteSize.Gigabyte * ByteSize.Gibibyte }
            : range;
}
