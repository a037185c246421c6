using Cairn.Frameworks.Tokenizing.Reading;

namespace Cairn.Frameworks.Tokenizing.Normalizing;

/// <summary>Reads <c>normalizer</c>.</summary>
internal static class NormalizerReader
{
    private const int MostDepth = 16;

    public static Normalizer Read(JsonPlace place, int depth = 0)
    {
        switch (place.Kind())
        {
            case "Sequence" when depth < MostDepth:
                return new NormalizerChain([.. place.Field("normalizers").Items().Select(one => Read(one, depth + 1))]);
            case "Lowercase":
                return new NormalizerOf(Characters.Lower);
            case "StripAccents":
                return new NormalizerOf(Characters.DropAccents);
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
}
