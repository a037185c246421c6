using System.Text.Json.Serialization;

namespace Cairn.Contracts.Workloads;

/// <summary>A closed range with open ends: null means unbounded.</summary>
public readonly record struct Range<T>(T? Min, T? Max) where T : struct, IComparable<T>
{
    public bool Contains(T value) =>
        (Min is not { } min || value.CompareTo(min) >= 0) && (Max is not { } max || value.CompareTo(max) <= 0);

    [JsonIgnore]
    public bool IsAny => Min is null && Max is null;

    public override string ToString() => (Min, Max) switch
    {
        (null, null) => "any",
        ({ } min, null) => $"{min}..",
        (null, { } max) => $"..{max}",
        ({ } min, { } max) when min.CompareTo(max) == 0 => $"{min}",
        var (min, max) => $"{min}..{max}",
    };
}
