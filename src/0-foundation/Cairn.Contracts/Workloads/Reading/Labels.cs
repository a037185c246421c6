using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>Mappings of words to words, laid over those that hold already.</summary>
internal static class Labels
{
    private const int MaxLength = 256;

    public static IReadOnlyDictionary<string, string> Read(FieldValue value, IReadOnlyDictionary<string, string> outer)
    {
        if (value.Mapping is not { } mapping)
        {
            value.Expected("a mapping of labels");
            return outer;
        }

        var labels = new SortedDictionary<string, string>(outer.ToDictionary(), StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            var key = value.Of(entry.Key).Word("a label");
            if (key.Length > MaxLength || (entry.Value as YamlScalar)?.Text.Length > MaxLength)
                value.Of(entry.Key).Error(DiagnosticCodes.Limit, $"a label and its value may have {MaxLength} characters each");
            labels[key] =
                entry.Value is YamlScalar { Text: "" } or YamlScalar { IsNull: true } ? "" : value.Of(entry.Value).Word("a label's value");
        }

        return labels;
    }
}
