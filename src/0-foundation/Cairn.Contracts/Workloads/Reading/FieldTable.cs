using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>Who writes a field so.</summary>
[Flags]
internal enum Spelling
{
    Cairn = 1,
    SkyPilot = 2,
    Dstack = 4,
    All = Cairn | SkyPilot | Dstack,
}

/// <summary>What becomes of a field.</summary>
internal enum FieldUse
{
    Read,

    /// <summary>Understood and not acted on: a warning.</summary>
    NotActedOn,

    /// <summary>Understood and refused: leaving it out would do something else than was written.</summary>
    Refused,
}

internal sealed record Field<T>(string Name, Spelling In, FieldUse Use, Func<T, FieldValue, T> Apply)
{
    /// <summary>The field of the specification that it gives, such as <c>money.max_price</c>.</summary>
    public required string Target { get; init; }

    /// <summary>Why it is not acted on, and what to do in its place.</summary>
    public string Note { get; init; } = "";

    /// <summary>Null is a value of it; elsewhere null means that the field is not given.</summary>
    public bool TakesNull { get; init; }

    /// <summary>Known in its own dialect only: elsewhere the name means something else, or nothing.</summary>
    public bool OwnDialectOnly { get; init; }

    public bool IsCanonical => In.HasFlag(Spelling.Cairn);
}

/// <summary>
/// The fields that one mapping may have. They are applied in the table's order, not in the file's, so a later one may build on an
/// earlier one. The table is the one place that decides what becomes of each field of all three dialects.
/// </summary>
/// <param name="title">What a message calls the mapping: <c>resources</c>.</param>
/// <param name="prefix">The path of the mapping's fields in the specification, with its dot.</param>
internal sealed class FieldTable<T>(string title, string prefix)
{
    private readonly List<Field<T>> _fields = [];
    private readonly Dictionary<string, Field<T>> _byName = new(StringComparer.Ordinal);

    public string Title => title;

    public IReadOnlyList<Field<T>> Fields => _fields;

    /// <summary>Where a field that is not of this mapping belongs, for the message: <c>budget</c> is under <c>money</c>.</summary>
    public Func<string, string?> Elsewhere { get; init; } = _ => null;

    /// <summary>Whether keys that start with <c>x-</c> are left alone, as a place for anchors.</summary>
    public bool AllowsExtensions { get; init; }

    /// <summary>A canonical field.</summary>
    public FieldTable<T> Field(string name, Func<T, FieldValue, T> apply, Spelling alsoIn = Spelling.Cairn, bool takesNull = false) =>
        Add(new Field<T>(name, alsoIn | Spelling.Cairn, FieldUse.Read, apply) { Target = prefix + name, TakesNull = takesNull });

    /// <summary>Another dialect's name, shape or place for a canonical field.</summary>
    public FieldTable<T> Sugar(
        Spelling spelling, string name, string target, Func<T, FieldValue, T> apply, bool takesNull = false, bool ownDialectOnly = false) =>
        Add(new Field<T>(name, spelling, FieldUse.Read, apply) { Target = target, TakesNull = takesNull, OwnDialectOnly = ownDialectOnly });

    public FieldTable<T> NotActedOn(Spelling spelling, string name, string note, bool ownDialectOnly = false) =>
        Add(new Field<T>(name, spelling, FieldUse.NotActedOn, (target, _) => target)
        {
            Target = "", Note = note, OwnDialectOnly = ownDialectOnly,
        });

    public FieldTable<T> Refused(Spelling spelling, string name, string note, bool ownDialectOnly = false) =>
        Add(new Field<T>(name, spelling, FieldUse.Refused, (target, _) => target)
        {
            Target = "", Note = note, OwnDialectOnly = ownDialectOnly,
        });

    /// <summary>True where the table knows the name in some dialect.</summary>
    public Field<T>? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Applies every field of the mapping to the seed.</summary>
    /// <param name="reader">Takes errors and warnings.</param>
    /// <param name="mapping">What was written.</param>
    /// <param name="seed">What holds where nothing was written.</param>
    /// <param name="handled">Keys that the caller reads itself.</param>
    public T Read(ReadContext reader, YamlMapping mapping, T seed, params ReadOnlySpan<string> handled)
    {
        foreach (var (key, _) in mapping.Entries)
        {
            if (!handled.Contains(key.Text) && Known(reader, key.Text) is null)
                ReportUnknown(reader, key);
        }

        foreach (var field in _fields)
        {
            if (mapping.Find(field.Name) is { } entry && !handled.Contains(field.Name) && ReferenceEquals(Known(reader, field.Name), field))
                seed = Apply(reader, field, entry, seed);
        }

        return seed;
    }

    private static T Apply(ReadContext reader, Field<T> field, YamlEntry entry, T seed)
    {
        if (!field.TakesNull && entry.Value is YamlScalar { IsNull: true })
            return seed;
        switch (field.Use)
        {
            case FieldUse.NotActedOn:
                reader.Findings.Warn(entry.Key, DiagnosticCodes.NotActedOn, $"'{field.Name}' is understood and not acted on: {field.Note}");
                return seed;
            case FieldUse.Refused:
                reader.Findings.Error(entry.Key, DiagnosticCodes.NotSupported, $"'{field.Name}' is not supported: {field.Note}");
                return seed;
            default:
                var value = new FieldValue(reader, field.Name, entry.Value, entry.Key);
                return field.Target.Length > 0 && !reader.Claim(field.Target, entry.Key) ? seed : field.Apply(seed, value);
        }
    }

    private Field<T>? Known(ReadContext reader, string name) =>
        _byName.TryGetValue(name, out var field) && (!field.OwnDialectOnly || field.In.HasFlag(Own(reader.Dialect))) ? field : null;

    private void ReportUnknown(ReadContext reader, YamlScalar key)
    {
        if (AllowsExtensions && key.Text.StartsWith("x-", StringComparison.Ordinal))
            return;
        var place = reader.Dialect == WorkloadDialect.Dstack ? null : Elsewhere(key.Text);
        var hint = place is not null
            ? $"; it belongs to '{place}'"
            : reader.Near(key.Text, Names(reader)) is { Length: > 0 } near ? near : Expected(reader);
        reader.Findings.Error(key, DiagnosticCodes.UnknownField, $"'{Excerpt.Of(key.Text)}' is not a field of {title}{hint}");
    }

    /// <summary>The names of the file's own dialect come first, so that a tie is decided for them.</summary>
    private IEnumerable<string> Names(ReadContext reader) =>
        _fields.Where(field => ReferenceEquals(Known(reader, field.Name), field))
            .OrderByDescending(field => field.In.HasFlag(Own(reader.Dialect)))
            .Select(field => field.Name);

    private string Expected(ReadContext reader) => reader.Findings.IsFull ? "" :
        "; expected one of " + string.Join(", ",
            _fields.Where(field => field.In.HasFlag(Own(reader.Dialect))).Select(field => field.Name).Take(40));

    private static Spelling Own(WorkloadDialect dialect) => dialect switch
    {
        WorkloadDialect.SkyPilot => Spelling.SkyPilot,
        WorkloadDialect.Dstack => Spelling.Dstack,
        _ => Spelling.Cairn,
    };

    private FieldTable<T> Add(Field<T> field)
    {
        _fields.Add(field);
        _byName.Add(field.Name, field);
        return this;
    }
}
