using System.Text;
using Cairn.Frameworks.Tokenizing.Normalizing;
using Cairn.Frameworks.Tokenizing.Reading;
using Cairn.Frameworks.Tokenizing.Splitting;

namespace Cairn.Frameworks.Tokenizing.Detokenizing;

/// <summary>Reads <c>decoder</c>, and works out the bytes of every token once.</summary>
internal sealed class DetokenizerReader
{
    private const int MostDepth = 16;
    private const string Kinds = "one of the decoders Sequence, ByteLevel, Metaspace, ByteFallback, Fuse, Replace, Strip, WordPiece";
    private readonly List<DecoderStep> _steps = [];
    private bool _fused;
    private bool _firstDiffers;
    private char _stripped;
    private int _mostStripped;

    /// <param name="decoder">The decoder's description; null where the file has none, and tokens are then joined by spaces.</param>
    /// <param name="tokens">By id, how a token is written and whether it is an added one; null for an id that no token has.</param>
    public static Detokenizer Read(JsonPlace? decoder, IReadOnlyList<(string Written, bool Added)?> tokens)
    {
        var reader = new DetokenizerReader();
        if (decoder is { } place)
        {
            reader.Add(place, 0);
        }
        else
        {
            reader._steps.Add(DecoderSteps.OfText((text, first) => first ? text : " " + text));
            reader._firstDiffers = true;
        }
        var middle = tokens.Select(token => reader.Bytes(token, first: false)).ToArray();
        var first = reader._firstDiffers ? tokens.Select((token, id) => Same(reader.Bytes(token, first: true), middle[id])).ToArray()
            : middle;
        return new Detokenizer(middle, first, Encoding.UTF8.GetBytes(reader._stripped.ToString()), reader._mostStripped);
    }

    private static byte[] Same(byte[] made, byte[] there) => made.AsSpan().SequenceEqual(there) ? there : made;

    private byte[] Bytes((string Written, bool Added)? token, bool first)
    {
        if (token is not { } one) return [];
        var decoded = new DecodedToken(one.Written, null, first, one.Added);
        foreach (var step in _steps) decoded = step(decoded);
        return decoded.Bytes ?? Encoding.UTF8.GetBytes(decoded.Text);
    }

    private void Add(JsonPlace place, int depth)
    {
        switch (place.Kind())
        {
            case "Sequence" when depth < MostDepth:
                foreach (var part in place.Field("decoders").Items()) Add(part, depth + 1);
                break;
            case "Fuse":
                _fused = true;
                break;
            case "ByteLevel" when !_fused:
                _steps.Add(DecoderSteps.ByteLevel);
                _fused = true;
                break;
            case "ByteFallback" when !_fused:
                _steps.Add(DecoderSteps.ByteFallback);
                break;
            case "Metaspace" when !_fused:
                _steps.Add(DecoderSteps.Metaspace(SplitterReader.Replacement(place), Prepended(place)));
                _firstDiffers = true;
                break;
            case "WordPiece" when !_fused:
                _steps.Add(DecoderSteps.WordPiece(place.OptionalText("prefix") ?? "##", place.Flag("cleanup", true)));
                _firstDiffers = true;
                break;
            case "Replace":
                Replace(place);
                break;
            case "Strip":
                Strip(place);
                break;
            case "CTC":
                throw place.Field("type").Wrong(Kinds + "; CTC belongs to speech models, whose tokens Cairn does not decode");
            default:
                throw place.Field("type").Wrong(_fused ? "Replace of one character or Strip after tokens have been fused" : Kinds);
        }
    }

    private static bool Prepended(JsonPlace place) =>
        place.OptionalText("prepend_scheme") is { } scheme ? scheme != "never" : place.Flag("add_prefix_space", true);

    private void Replace(JsonPlace place)
    {
        // What a longer text is replaced by could depend on the tokens to come.
        if (_fused && place.Field("pattern").Optional("String")?.Text() is not { Length: 1 }) place.Field("pattern").Refuse("one character after tokens have been fused");
        var replace = Replacement.Read(place);
        _steps.Add(DecoderSteps.OfText((text, _) => replace(text)));
    }

    private void Strip(JsonPlace place)
    {
        var content = place.Field("content");
        if (content.Text() is not { Length: 1 } one) throw content.Wrong("one character");
        var (left, right) = (place.Whole("start", 0, 0, 1024), place.Whole("stop", 0, 0, 1024));
        if (!_fused)
        {
            _steps.Add(DecoderSteps.Strip(one[0], left, right));
            return;
        }
        if (right > 0) place.Field("stop").Refuse("0 after tokens have been fused: a stream cannot know its end");
        if (_mostStripped > 0 && left > 0) place.Refuse("at most one Strip after tokens have been fused");
        (_stripped, _mostStripped) = (one[0], left);
    }
}
