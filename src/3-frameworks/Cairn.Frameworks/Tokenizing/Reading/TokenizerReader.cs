using System.Text.Json;
using Cairn.Frameworks.Tokenizing.AddedTokens;
using Cairn.Frameworks.Tokenizing.Detokenizing;
using Cairn.Frameworks.Tokenizing.Finishing;
using Cairn.Frameworks.Tokenizing.Normalizing;
using Cairn.Frameworks.Tokenizing.Segmenting;
using Cairn.Frameworks.Tokenizing.Splitting;

namespace Cairn.Frameworks.Tokenizing.Reading;

/// <summary>Reads a model folder's <c>tokenizer.json</c>, with what <c>tokenizer_config.json</c> changes.</summary>
internal static class TokenizerReader
{
    /// <summary>Eight times the largest file published; a file beyond is not read into memory.</summary>
    public const long MostBytes = 256L << 20;

    public static TokenizerParts Read(string folder)
    {
        using var document = Open(Path.Combine(folder, "tokenizer.json"), required: true);
        using var config = Open(Path.Combine(folder, "tokenizer_config.json"), required: false);
        var root = new JsonPlace("tokenizer.json", document!.RootElement);
        return Read(root, new TokenizerConfig(config is null ? null : new JsonPlace("tokenizer_config.json", config.RootElement)));
    }

    private static TokenizerParts Read(JsonPlace root, TokenizerConfig config)
    {
        var segmenter = SegmenterReader.Read(root.Field("model"));
        var normalizer = root.Optional("normalizer") is { } normalizing ? NormalizerReader.Read(normalizing) : null;
        var splitter = root.Optional("pre_tokenizer") is { } splitting ? SplitterReader.Read(splitting, config.PrefixSpace) : null;
        var listed = root.Optional("added_tokens")?.Items().Select(place =>
            Added(place, place.Field("id").Whole(0, Vocabulary.MostTokens - 1)));
        var added = new AddedTokenTable(config.Merge(listed?.ToArray() ?? [], segmenter.Vocabulary), normalizer);
        var tokens = Tokens(segmenter.Vocabulary, added);
        var template = config.Template(token => added.IdOf(token) ?? (segmenter.Vocabulary.TryId(token, out var id) ? id : null))
            ?? (root.Optional("post_processor") is { } finishing ? TemplateReader.Read(finishing, tokens.Length) : SpecialsTemplate.None);
        return new TokenizerParts(segmenter, normalizer, splitter, template, DetokenizerReader.Read(root.Optional("decoder"), tokens),
            added);
    }

    public static AddedToken Added(JsonPlace place, int id) => new(id, place.Field("content").Text())
    {
        Special = place.Flag("special", false),
        SingleWord = place.Flag("single_word", false),
        StripLeft = place.Flag("lstrip", false),
        StripRight = place.Flag("rstrip", false),
        Normalized = place.Flag("normalized", !place.Flag("special", false)),
    };

    private static (string Written, bool Added)?[] Tokens(Vocabulary vocabulary, AddedTokenTable added)
    {
        var size = Math.Max(vocabulary.Size, added.All.Select(token => token.Id + 1).DefaultIfEmpty(0).Max());
        var tokens = new (string, bool)?[size];
        for (var id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary.WrittenOf(id) is { } written) tokens[id] = (written, false);
        }
        foreach (var token in added.All) tokens[token.Id] = (token.Content, true);
        return tokens;
    }

    private static JsonDocument? Open(string path, bool required)
    {
        var name = Path.GetFileName(path);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (file.Length > MostBytes)
                throw new TokenizerFormatException($"{path} has {file.Length} bytes; expected at most {MostBytes}.");
            return JsonDocument.Parse(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return required ? throw new TokenizerFormatException($"{path} does not exist; expected a model's folder with a {name}.", e)
                : null;
        }
        catch (JsonException e)
        {
            throw new TokenizerFormatException($"{path} is not JSON: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerFormatException($"{path} cannot be read: {e.Message}", e);
        }
    }
}
