using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.Oracles;
using Cairn.Frameworks.Tokenizing;
using CsCheck;

namespace Cairn.Frameworks.Tests.Tokenizing;

/// <summary>Cairn's ids and texts are those of Hugging Face's tokenizers, on tokenizers of every kind and texts of every script.</summary>
[Trait("speed", "slow")]
public sealed class Against_Hugging_Face
{
    public static TheoryData<string> Kinds => ["gpt2", "llama3", "llama2", "llama2-metaspace", "unigram", "bert", "bert-cased"];

    [Theory, MemberData(nameof(Kinds))]
    public void Ids_and_texts_agree(string kind)
    {
        var (ours, file) = Make(kind);
        var oracle = NodeOracle.Instance;
        oracle.Must(new JsonObject { ["op"] = "tokenizer", ["name"] = kind, ["tokenizer"] = file, ["config"] = new JsonObject() });
        Texts.Any.Where(text => text.Length > 0 && Comparable(kind, text)).Sample(text =>
        {
            var expected = oracle.Must(new JsonObject { ["op"] = "encode", ["name"] = kind, ["text"] = text, ["specials"] = true });
            int[] theirs = [.. expected.AsArray().Select(id => id!.GetValue<int>())];
            Assert.Equal(theirs, ours.Encode(text));
            if (theirs.Length == 0) return;
            foreach (var skip in new[] { true, false })
            {
                var decoded = oracle.Must(new JsonObject { ["op"] = "decode", ["name"] = kind, ["ids"] = expected.DeepClone(), ["skip"] = skip }).GetValue<string>();
                Assert.Equal(decoded, ours.Decode(theirs, skip));
            }
        }, iter: 1500, threads: 1);
    }

    private static (Tokenizer, JsonObject) Make(string kind)
    {
        var file = kind switch
        {
            "gpt2" => MadeTokenizer.ByteLevel(),
            "llama3" => MadeTokenizer.Llama3Like(),
            "llama2" => MadeTokenizer.Llama2Like(),
            "llama2-metaspace" => MadeTokenizer.Llama2Like(metaspace: true),
            "unigram" => MadeTokenizer.UnigramLike(),
            "bert" => MadeTokenizer.BertLike(),
            _ => MadeTokenizer.BertLike(lowercase: false),
        };
        return (MadeTokenizer.Load(file), file);
    }

    /// <summary>
    /// Where the JavaScript differs from the original in Rust, and Cairn follows the original: JavaScript calls U+FEFF white space and U+0085 none. BERT's cleaning
    /// there looks at the first half of a character beyond U+FFFF, and lower-cases Σ by its place in the word.
    /// </summary>
    private static bool Comparable(string kind, string text) =>
        !text.AsSpan().ContainsAny("\uFEFF\u0085") && !(kind.StartsWith("bert", StringComparison.Ordinal) && (text.Any(char.IsSurrogate) || text.Contains('Σ')));
}
