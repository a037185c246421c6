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
        return Read(new JsonPlace("tokenizer.json", "$", document!.RootElement));
    }

    private static TokenizerParts Read(JsonPlace root)
    {
        var segmenter = SegmenterReader.Read(root.Field("model"));
        var normalizer = root.Optional("normalizer") is { } normalizing ? NormalizerReader.Read(normalizing) : null;
        var splitter = root.Optional("pre_tokenizer") is { } splitting ? SplitterReader.Read(splitting, null) : null;
        var added = new AddedTokenTable(root.Optional("added_tokens")?.Items().Select(Added).ToArray() ?? [], normalizer);
        var tokens = Tokens(segmenter.Vocabulary, added);
        var template = root.Optional("post_processor") is { } finishing ? TemplateReader.Read(finishing, tokens.Length) : SpecialsTemplate.None;
        return new TokenizerParts(segmenter, normalizer, splitter, template, DetokenizerReader.Read(root.Optional("decoder"), tokens), added);
    }

    private static AddedToken Added(JsonPlace place) =>
        new(place.Field("id").Whole(0, Vocabulary.MostTokens - 1), place.Field("content").Text())
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
            return required ? throw new TokenizerFormatException($"{path} does not exist; expected a model's folder with a {name}.", e) : null;
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
