using Cairn.Frameworks.Tokenizing.Reading;

namespace Cairn.Frameworks.Tokenizing.Normalizing;

/// <summary>Reads <c>normalizer</c>.</summary>
internal static class NormalizerReader
{
    private const int MostDepth = 16;

    private static readonly UnicodeForm Decomposed = new(compose: false, compatible: false);

    public static Normalizer Read(JsonPlace place, int depth = 0)
    {
        switch (place.Kind())
        {
            case "Sequence" when depth < MostDepth:
                return new NormalizerChain([.. place.Field("normalizers").Items().Select(one => Read(one, depth + 1))]);
            case "NFC":
                return new UnicodeForm(compose: true, compatible: false);
            case "NFD":
                return Decomposed;
            case "NFKC":
                return new UnicodeForm(compose: true, compatible: true);
            case "NFKD":
                return new UnicodeForm(compose: false, compatible: true);
            case "BertNormalizer":
                return Bert(place);
            case "Precompiled":
                return CharacterMap.Read(place.Field("precompiled_charsmap"));
            case "Lowercase":
                return new NormalizerOf(Characters.Lower);
            case "StripAccents":
                return new NormalizerOf(Characters.DropMarks);
            case "Nmt":
                return new NormalizerOf(Characters.Nmt);
            case "Replace":
                return new NormalizerOf(Replacement.Read(place));
            case "Prepend":
                var prefix = place.Field("prepend").Text();
                return new NormalizerOf(text => prefix + text);
            case "Strip":
                var (left, right) = (place.Flag("strip_left", true), place.Flag("strip_right", true));
                return new NormalizerOf(text => Characters.Strip(text, left, right));
            default:
                throw place.Field("type").Wrong("one of the normalizers Sequence (nested up to 16 deep), NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, "
                    + "Strip, Prepend, Replace, BertNormalizer, Nmt, Precompiled");
        }
    }

    /// <summary>Accents go where lower-casing is asked for, unless the file says otherwise.</summary>
    private static NormalizerChain Bert(JsonPlace place)
    {
        var lowercase = place.Flag("lowercase", true);
        var parts = new List<Normalizer>();
        if (place.Flag("clean_text", true)) parts.Add(new NormalizerOf(Characters.Clean));
        if (place.Flag("handle_chinese_chars", true)) parts.Add(new NormalizerOf(Characters.SpaceIdeographs));
        if (place.Flag("strip_accents", lowercase)) parts.AddRange([Decomposed, new NormalizerOf(Characters.DropAccents)]);
        if (lowercase) parts.Add(new NormalizerOf(Characters.Lower));
        return new NormalizerChain(parts);
    }
}
