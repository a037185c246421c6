using System.Globalization;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

internal static class LatencyFields
{
    private sealed record Draft(double? MaxMs, IReadOnlyList<PlaceSpec> From);

    private sealed record PlaceDraft(string Name, GeoPoint? At);

    private static readonly FieldTable<Draft> s_table = new FieldTable<Draft>("latency", "where.latency.") { Elsewhere = AllFields.PlaceOf }
        .Field("max", (draft, value) => draft with { MaxMs = Max(value) })
        .Field("from", (draft, value) => draft with { From = From(value) });

    private static readonly FieldTable<PlaceDraft> s_place = new FieldTable<PlaceDraft>("a place", "where.latency.from.")
        .Field("name", (draft, value) => draft with { Name = value.Word("a place's name") })
        .Field("at", (draft, value) => draft with { At = Point(value) });

    public static IEnumerable<string> FieldNames => s_table.Fields.Select(known => known.Name);

    public static IEnumerable<string> PlaceFieldNames => s_place.Fields.Select(known => known.Name);

    public static LatencySpec? Read(FieldValue value)
    {
        if (value.Mapping is not { } mapping)
        {
            value.Expected("a mapping such as {max: 50ms, from: [Frankfurt]}");
            return null;
        }

        var draft = s_table.Read(value.Reader, mapping, new Draft(null, []));
        if (mapping.Find("max") is null)
            value.Error(DiagnosticCodes.Missing, "'max' is missing, the longest round trip, such as 50ms");
        if (mapping.Find("from") is null)
            value.Error(DiagnosticCodes.Missing, "'from' is missing, the places that it is measured from, such as [Frankfurt]");
        return draft is { MaxMs: { } max, From.Count: > 0 } ? new LatencySpec { MaxMs = max, From = draft.From } : null;
    }

    private static double Max(FieldValue value)
    {
        if (value.Scalar is { } text && Duration.TryParseMilliseconds(text, out var ms) && ms is > 0 and <= 60_000)
            return ms;
        value.Expected("a round trip above 0 and up to 60s, such as 50ms");
        return 1;
    }

    private static IReadOnlyList<PlaceSpec> From(FieldValue value)
    {
        var items = value.Mapping is null ? value.Items(FieldValue.MaxChoices) : [value];
        if (items.Count == 0)
            value.Expected("at least one place");
        return [.. items.Select(Place).OfType<PlaceSpec>()];
    }

    private static PlaceSpec? Place(FieldValue value)
    {
        if (value.Mapping is not { } mapping)
            return Named(value);
        var draft = value.Reader.InScope(() => s_place.Read(value.Reader, mapping, new PlaceDraft("", null)));
        if (mapping.Find("name") is not { } name)
        {
            value.Error(DiagnosticCodes.Missing, "the place has no 'name'");
            return null;
        }

        if (draft.At is { } point)
            return new PlaceSpec(draft.Name, point);
        return mapping.Find("at") is null ? Named(value.Of(name.Value)) : null;
    }

    private static PlaceSpec? Named(FieldValue value)
    {
        var name = value.Word("a city, or {name: …, at: \"LATITUDE,LONGITUDE\"}").Trim();
        if (name.Length == 0)
            return null;
        if (NamedPlaces.Find(name) is { } point)
            return new PlaceSpec(name, point);
        var near = value.Reader.Findings.IsFull ? [] : NamedPlaces.Near(name);
        var hint = near.Count == 0 ? "" : $"; did you mean {string.Join(" or ", near.Select(place => $"'{place}'"))}?";
        value.Error(
            DiagnosticCodes.UnknownName,
            $"'{Excerpt.Of(name)}' is not in the table of places{hint} "
            + $"Any place can be given as {{name: {Excerpt.Of(name)}, at: \"50.1,8.7\"}}");
        return null;
    }

    private static GeoPoint? Point(FieldValue value)
    {
        var parts = value.Scalar?.Split(',') ?? [];
        if (value.Node is YamlSequence { Items.Count: 2 } pair)
            parts = [.. pair.Items.Select(item => (item as YamlScalar)?.Text ?? "")];
        if (parts.Length == 2
            && Numbers.TryParse(parts[0].Trim(), out var latitude) && latitude is >= -90 and <= 90
            && Numbers.TryParse(parts[1].Trim(), out var longitude) && longitude is >= -180 and <= 180)
            return new GeoPoint(latitude, longitude);
        value.Expected("\"LATITUDE,LONGITUDE\" in degrees, such as \"50.1,8.7\"");
        return null;
    }

    public static string FormatPoint(GeoPoint point) =>
        string.Create(CultureInfo.InvariantCulture, $"{Numbers.Format(point.Latitude)},{Numbers.Format(point.Longitude)}");
}
