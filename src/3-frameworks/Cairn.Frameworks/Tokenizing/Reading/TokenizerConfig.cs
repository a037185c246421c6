using System.Globalization;
using Cairn.Frameworks.Tokenizing.AddedTokens;
using Cairn.Frameworks.Tokenizing.Finishing;
using Cairn.Frameworks.Tokenizing.Segmenting;

namespace Cairn.Frameworks.Tokenizing.Reading;

/// <summary>The parts of <c>tokenizer_config.json</c> by which the transformers library overrides <c>tokenizer.json</c>.</summary>
internal sealed class TokenizerConfig
{
    /// <summary>Classes that build their template from <c>add_bos_token</c> and <c>add_eos_token</c>; the others ignore both.</summary>
    private static readonly string[] OwnTemplate = ["LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer"];
    private readonly JsonPlace? _root;
    private readonly string? _begin;
    private readonly string? _end;

    public TokenizerConfig(JsonPlace? root)
    {
        _root = root;
        _begin = Named("bos_token");
        _end = Named("eos_token");
    }

    /// <summary>Whether a space stands in front of the text; null where the file says nothing.</summary>
    public bool? PrefixSpace => _root?.Optional("add_prefix_space")?.Flag();

    /// <summary>The added tokens of <c>tokenizer.json</c>, and those that this file adds or describes otherwise.</summary>
    public IEnumerable<AddedToken> Merge(IReadOnlyList<AddedToken> tokens, Vocabulary vocabulary)
    {
        var byId = new Dictionary<int, AddedToken>();
        foreach (var token in tokens) byId[token.Id] = token;
        if (_root?.Optional("added_tokens_decoder") is { } decoder)
        {
            foreach (var (name, place) in decoder.Fields())
            {
                if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= Vocabulary.MostTokens)
                    place.Refuse($"an id from 0 to {Vocabulary.MostTokens - 1} as its name");
                var token = TokenizerReader.Added(place, id);
                // An id keeps the token that tokenizer.json gives it.
                if ((byId.GetValueOrDefault(id)?.Content ?? vocabulary.WrittenOf(id) ?? token.Content) == token.Content) byId[id] = token;
            }
        }
        return byId.Values;
    }

    /// <summary>The template to use instead; null where the file does not ask for one.</summary>
    public SpecialsTemplate? Template(Func<string, int?> idOf)
    {
        var kind = _root?.OptionalText("tokenizer_class") ?? "";
        if (!OwnTemplate.Contains(kind.EndsWith("Fast", StringComparison.Ordinal) ? kind[..^4] : kind)) return null;
        var (begins, ends) = (_root!.Value.Optional("add_bos_token"), _root.Value.Optional("add_eos_token"));
        if (begins is null && ends is null) return null;
        var begin = begins is null || begins.Value.Flag() ? IdOf(_begin, begins) : [];
        var end = ends is not null && ends.Value.Flag() ? IdOf(_end, ends) : [];
        return new SpecialsTemplate(Around(0), [.. Around(0), .. Around(1)]);

        int[] IdOf(string? token, JsonPlace? asked) => token is null ? [] : idOf(token) is { } id ? [id]
            : throw (asked ?? _root.Value).Wrong($"the token '{token}' in tokenizer.json");

        TemplatePart[] Around(int text) => [TemplatePart.OfSpecial(begin, text), TemplatePart.OfText(text, text),
            TemplatePart.OfSpecial(end, text)];
    }

    /// <summary>A token is a text, or an object that has it as its content.</summary>
    private string? Named(string name)
    {
        if (_root?.Optional(name) is not { } place) return null;
        return place.Value.ValueKind == System.Text.Json.JsonValueKind.Object ? place.Field("content").Text() : place.Text();
    }
}
