using Cairn.Frameworks.Tokenizing.Reading;

namespace Cairn.Frameworks.Tokenizing.Finishing;

/// <summary>Reads <c>post_processor</c>.</summary>
internal static class TemplateReader
{
    private const int MostDepth = 16;

    private const int MostTypes = 1 << 16;

    public static SpecialsTemplate Read(JsonPlace place, int mostTokens, int depth = 0) => place.Kind() switch
    {
        "Sequence" when depth < MostDepth => Sequence(place, mostTokens, depth),
        "ByteLevel" => SpecialsTemplate.None,
        "TemplateProcessing" => Template(place, mostTokens),
        "BertProcessing" => Bert(Named(place.Field("cls"), mostTokens), Named(place.Field("sep"), mostTokens)),
        "RobertaProcessing" => Roberta(Named(place.Field("cls"), mostTokens), Named(place.Field("sep"), mostTokens)),
        _ => throw place.Field("type").Wrong(
            "one of the post-processors Sequence (nested up to 16 deep), ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing"),
    };

    /// <summary>Of a sequence, one may add tokens; ByteLevel only moves offsets, which Cairn does not keep.</summary>
    private static SpecialsTemplate Sequence(JsonPlace place, int mostTokens, int depth)
    {
        var parts = place.Field("processors").Items().Select(one => Read(one, mostTokens, depth + 1)).Where(one =>
            one != SpecialsTemplate.None).ToArray();
        if (parts.Length > 1) place.Field("processors").Refuse("at most one post-processor that adds tokens");
        return parts.Length == 1 ? parts[0] : SpecialsTemplate.None;
    }

    private static SpecialsTemplate Bert(int cls, int sep) => new(
        [TemplatePart.OfSpecial([cls], 0), TemplatePart.OfText(0, 0), TemplatePart.OfSpecial([sep], 0)],
        [
            TemplatePart.OfSpecial([cls], 0), TemplatePart.OfText(0, 0), TemplatePart.OfSpecial([sep], 0),
            TemplatePart.OfText(1, 1), TemplatePart.OfSpecial([sep], 1),
        ]);

    private static SpecialsTemplate Roberta(int cls, int sep) => new(
        [TemplatePart.OfSpecial([cls], 0), TemplatePart.OfText(0, 0), TemplatePart.OfSpecial([sep], 0)],
        [
            TemplatePart.OfSpecial([cls], 0), TemplatePart.OfText(0, 0), TemplatePart.OfSpecial([sep, sep], 0),
            TemplatePart.OfText(1, 0), TemplatePart.OfSpecial([sep], 0),
        ]);

    /// <summary><c>["[CLS]", 101]</c>.</summary>
    private static int Named(JsonPlace place, int mostTokens)
    {
        var parts = place.Items().ToArray();
        return parts.Length == 2 ? parts[1].Whole(0, mostTokens - 1) : throw place.Wrong("a token and its id");
    }

    private static SpecialsTemplate Template(JsonPlace place, int mostTokens)
    {
        var specials = new Dictionary<string, int[]>(StringComparer.Ordinal);
        if (place.Optional("special_tokens") is { } named)
        {
            foreach (var (name, special) in named.Fields()) specials[name] = [.. special.Field("ids").Items().Select(id =>
                id.Whole(0, mostTokens - 1))];
        }
        var single = Parts(place.Field("single"), specials, pair: false);
        var pair = place.Optional("pair") is { Count: > 0 } given ? Parts(given, specials, pair: true) : SpecialsTemplate.None.Pair;
        return new SpecialsTemplate(single, pair);
    }

    private static List<TemplatePart> Parts(JsonPlace place, Dictionary<string, int[]> specials, bool pair)
    {
        var parts = new List<TemplatePart>();
        foreach (var item in place.Items())
        {
            if (item.Optional("SpecialToken") is { } special)
            {
                var name = special.Field("id");
                if (!specials.TryGetValue(name.Text(), out var ids)) throw name.Wrong("a name that special_tokens has");
                parts.Add(TemplatePart.OfSpecial(ids, special.Whole("type_id", 0, 0, MostTypes)));
                continue;
            }
            var sequence = item.Field("Sequence");
            var text = sequence.Field("id").Text() switch
            {
                "A" => 0,
                "B" when pair => 1,
                _ => throw sequence.Field("id").Wrong(pair ? "A or B" : "A"),
            };
            parts.Add(TemplatePart.OfText(text, sequence.Whole("type_id", 0, 0, MostTypes)));
        }
        return parts;
    }
}
