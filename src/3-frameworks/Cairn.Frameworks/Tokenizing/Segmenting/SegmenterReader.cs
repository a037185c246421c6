using System.Text.Json;
using Cairn.Frameworks.Tokenizing.Reading;

namespace Cairn.Frameworks.Tokenizing.Segmenting;

/// <summary>Reads <c>model</c>.</summary>
internal static class SegmenterReader
{
    public static Segmenter Read(JsonPlace model) => Kind(model) switch
    {
        "BPE" => BytePairs(model),
        "Unigram" => Unigrams(model),
        "WordPiece" => WordPieces(model),
        "WordLevel" => WholeWords(model),
        _ => throw (model.Optional("type") ?? model).Wrong("one of the models BPE, Unigram, WordPiece, WordLevel"),
    };

    /// <summary>Old files leave the kind out.</summary>
    private static string Kind(JsonPlace model) =>
        model.OptionalText("type") ?? (model.Optional("merges") is not null ? "BPE" : model.Optional("unk_id") is not null
            ? "Unigram" : "WordPiece");

    private static Vocabulary Vocabulary(JsonPlace model) => new(model.Field("vocab").Fields()
        .Select(field => (field.Name, field.Value.Whole(0, Segmenting.Vocabulary.MostTokens - 1), field.Value)));

    private static BytePairs BytePairs(JsonPlace model)
    {
        var vocabulary = Vocabulary(model);
        var prefix = model.OptionalText("continuing_subword_prefix") ?? "";
        var options = new BytePairOptions
        {
            IgnoreMerges = model.Flag("ignore_merges", false),
            ByteFallback = model.Flag("byte_fallback", false),
            FuseUnknown = model.Flag("fuse_unk", false),
            Unknown = Unknown(model, vocabulary),
            ContinuingPrefix = prefix,
            EndOfWordSuffix = model.OptionalText("end_of_word_suffix") ?? "",
        };
        return new BytePairs(vocabulary, Merges(model.Field("merges"), vocabulary, prefix), options);
    }

    private static Dictionary<long, (int Rank, int Id)> Merges(JsonPlace place, Vocabulary vocabulary, string prefix)
    {
        var merges = new Dictionary<long, (int, int)>(place.Count);
        var rank = 0;
        foreach (var merge in place.Items())
        {
            var (left, right) = Sides(merge);
            var joined = left + (right.StartsWith(prefix, StringComparison.Ordinal) ? right[prefix.Length..] : right);
            var pair = Segmenting.BytePairs.Pair(Known(left), Known(right));
            // A pair that is named twice counts where it stands last, as its rank is overwritten in the library that writes these files.
            merges[pair] = (rank++, Known(joined));

            int Known(string token) => vocabulary.TryId(token, out var id)
                ? id : throw merge.Wrong($"tokens of the vocabulary; '{token}' is not one");
        }
        return merges;
    }

    private static (string Left, string Right) Sides(JsonPlace merge)
    {
        if (merge.Value.ValueKind == JsonValueKind.Array)
        {
            if (merge.Count != 2 || merge.Value[0].ValueKind != JsonValueKind.String
                || merge.Value[1].ValueKind != JsonValueKind.String) merge.Refuse("two tokens");
            return (merge.Value[0].GetString()!, merge.Value[1].GetString()!);
        }
        var text = merge.Value.ValueKind == JsonValueKind.String
            ? merge.Text() : throw merge.Wrong("two tokens, as \"a b\" or [\"a\", \"b\"]");
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && space < text.Length - 1 && text.IndexOf(' ', space + 1) < 0
            ? (text[..space], text[(space + 1)..])
            : throw merge.Wrong("two tokens with one space between them");
    }

    private static Unigrams Unigrams(JsonPlace model)
    {
        var scores = new List<double>();
        var vocabulary = new Vocabulary(Scored());
        var unknown = model.Optional("unk_id")?.Whole(0, Math.Max(0, vocabulary.Size - 1));
        return new Unigrams(vocabulary, [.. scores], unknown, model.Flag("byte_fallback", false));

        IEnumerable<(string, int, JsonPlace)> Scored()
        {
            foreach (var entry in model.Field("vocab").Items())
            {
                if (entry.Count != 2 || scores.Count >= Segmenting.Vocabulary.MostTokens) entry.Refuse("a token and its score, at most 4194304 of them");
                var parts = entry.Items().ToArray();
                scores.Add(parts[1].Real());
                yield return (parts[0].Text(), scores.Count - 1, entry);
            }
        }
    }

    private static WordPieces WordPieces(JsonPlace model)
    {
        var vocabulary = Vocabulary(model);
        var unknown = Unknown(model, vocabulary, "[UNK]") ?? throw model.Field("unk_token").Wrong("a token of the vocabulary");
        return new WordPieces(vocabulary, unknown, model.OptionalText("continuing_subword_prefix") ?? "##",
            model.Whole("max_input_chars_per_word", 100, 1, int.MaxValue));
    }

    private static WholeWords WholeWords(JsonPlace model)
    {
        var vocabulary = Vocabulary(model);
        return new WholeWords(vocabulary, Unknown(model, vocabulary));
    }

    private static int? Unknown(JsonPlace model, Vocabulary vocabulary, string? otherwise = null)
    {
        if (model.Optional("unk_token") is not { } place) return otherwise is not null && vocabulary.TryId(otherwise, out var known)
            ? known : null;
        return vocabulary.TryId(place.Text(), out var id) ? id : throw place.Wrong("a token of the vocabulary");
    }
}
