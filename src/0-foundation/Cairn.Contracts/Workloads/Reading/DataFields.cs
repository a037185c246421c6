using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>The entries of <c>inputs</c> and <c>outputs</c>.</summary>
internal static class DataFields
{
    public static readonly FieldTable<DataSpec> Table = new FieldTable<DataSpec>("an input or output", "data.")
        .Field("name", (d, v) => d with { Name = Name(v) })
        .Field("path", (d, v) => d with { Path = RelativePath(v) })
        .Field("size", (d, v) => d with { SizeBytes = v.Size() })
        .Field("place", (d, v) => d with { Place = v.Word("a place such as aws/us-east-1, s3://bucket/key or https://…") })
        .Field("step", (d, v) => d with { Step = v.Word("a step's name") });

    /// <param name="value">A list of entries, or SkyPilot's mapping of an address to a size.</param>
    /// <param name="steps">Takes every step that an entry names, with its place in the file.</param>
    public static IReadOnlyList<DataSpec> Read(FieldValue value, List<FieldValue> steps)
    {
        var data = value.Mapping is { } mapping
            ? [.. mapping.Entries.Select((entry, index) => FromAddress(value, entry, index))]
            : value.Items().Select(item => Entry(item, steps)).OfType<DataSpec>().ToList();
        foreach (var twice in data.GroupBy(one => one.Name, StringComparer.Ordinal).Where(group => group.Key.Length > 0
            && group.Count() > 1))
            value.Error(DiagnosticCodes.Conflict, $"two entries are named '{twice.Key}'");
        return data;
    }

    /// <summary>A path that stays inside the working directory.</summary>
    public static string RelativePath(FieldValue value)
    {
        var path = value.Word("a relative path");
        if (path.StartsWith('/') || path.StartsWith('~') || path.Contains('\\') || path.Split('/').Contains(".."))
            value.Expected("a path inside the working directory, with / between its parts and without '..'");
        return path;
    }

    private static DataSpec? Entry(FieldValue value, List<FieldValue> steps)
    {
        if (value.Mapping is not { } mapping)
        {
            value.Expected("a mapping such as {name: dataset, size: 100GB, place: s3://bucket/key}");
            return null;
        }

        var data = value.Reader.InScope(() => Table.Read(value.Reader, mapping, new DataSpec { Name = "" }));
        if (mapping.Find("name") is not { Value: not YamlScalar { IsNull: true } })
            value.Error(DiagnosticCodes.Missing, "the entry has no 'name'");
        if (data.Step is not null)
            steps.Add(value.Of("step", mapping.Find("step")!.Value).Of(mapping.Find("step")!.Value.Value));
        if (data is { Step: not null, Place: not null })
            value.Error(DiagnosticCodes.Conflict, "'step' and 'place' say two places where the data comes from; keep one");
        return data;
    }

    private static DataSpec FromAddress(FieldValue value, YamlEntry entry, int index)
    {
        var place = value.Of(entry.Key).Word("an address such as s3://bucket");
        var size = entry.Value is YamlScalar { IsNull: true } ? 0 : value.Of(entry.Value).Size();
        return new DataSpec { Name = $"{value.Name.TrimEnd('s')}-{index + 1}", Place = place, SizeBytes = size };
    }

    private static string Name(FieldValue value)
    {
        var name = value.Word("a name");
        if (name.Length > 63 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            value.Expected("a name of letters, digits, '-', '_' and '.', at most 63");
        return name;
    }
}
