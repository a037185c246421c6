using System.Text.Json.Nodes;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Tests.Tokenizing;

public sealed class Malformed_files
{
    public static TheoryData<string, string, string> Broken => new()
    {
        { "model.merges", "null", "$.model.merges is missing" },
        { "model.merges", "[5]", "$.model.merges[0] is 5; expected two tokens" },
        { "model.merges", "[\"ab\"]", "$.model.merges[0] is \"ab\"; expected two tokens with one space" },
        { "model.merges", "[[\"a\"]]", "$.model.merges[0]" },
        { "model.merges", "[\"a ЖЖ\"]", "'ЖЖ' is not one" },
        { "model.merges", "{}", "$.model.merges is {}; expected a list" },
        { "model.vocab", "null", "$.model.vocab is missing" },
        { "model.vocab", "[1]", "$.model.vocab is [1]; expected an object" },
        { "model.vocab", "{\"a\": -1}", "$.model.vocab.a is -1; expected a whole number from 0" },
        { "model.vocab", "{\"a\": 2000000000}", "$.model.vocab.a is 2000000000; expected a whole number from 0 to 4194303" },
        { "model.vocab", "{\"a\": 1.5}", "$.model.vocab.a is 1.5" },
        { "model.vocab", "{\"a\": 1, \"b\": 1}", "$.model.vocab.b is 1; expected an id of its own; 'a' has it already" },
        { "model.vocab", "{\"a\": 1, \"a\": 2}", "expected each token once" },
        { "model.type", "\"Magic\"", "$.model.type is \"Magic\"; expected one of the models BPE" },
        { "model.unk_token", "\"nope\"", "$.model.unk_token is \"nope\"; expected a token of the vocabulary" },
        { "model.byte_fallback", "\"yes\"", "$.model.byte_fallback is \"yes\"; expected true or false" },
        { "pre_tokenizer", "{\"type\": \"Wat\"}", "$.pre_tokenizer.type is \"Wat\"; expected one of the pre-tokenizers" },
        { "pre_tokenizer", "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"(a\"}, \"behavior\": \"Isolated\"}",
            "$.pre_tokenizer.pattern.Regex is \"(a\"; expected a supported regular expression" },
        { "pre_tokenizer", "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"a\"}, \"behavior\": \"Sideways\"}",
            "$.pre_tokenizer.behavior" },
        { "pre_tokenizer", "{\"type\": \"Metaspace\", \"replacement\": \"xy\"}",
            "$.pre_tokenizer.replacement is \"xy\"; expected one character" },
        { "normalizer", "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFX\"}]}", "$.normalizer.normalizers[0].type is \"NFX\"" },
        { "normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"%%\"}",
            "$.normalizer.precompiled_charsmap is \"%%\"; expected base64" },
        { "normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"/////w==\"}", "expected a trie's size" },
        { "post_processor", "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"X\", \"type_id\": 0}}], \"special_tokens\": {}}", "$.post_processor.single[0].SpecialToken.id is \"X\"" },
        { "decoder", "{\"type\": \"CTC\"}", "CTC belongs to speech models" },
        { "decoder", "{\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Fuse\"}, {\"type\": \"Strip\", \"content\": \" \", \"start\": 0, \"stop\": 1}]}", "$.decoder.decoders[1].stop" },
        { "added_tokens", "[{\"id\": 9999999, \"content\": \"x\"}]", "$.added_tokens[0].id is 9999999" },
        { "added_tokens", "[{\"id\": 1}]", "$.added_tokens[0].content is missing" },
    };

    [Theory, MemberData(nameof(Broken))]
    public void The_message_names_file_place_value_and_what_was_expected(string place, string value, string message)
    {
        var file = MadeTokenizer.ByteLevel(20);
        var steps = place.Split('.');
        var holder = steps.Length == 1 ? file : file[steps[0]]!.AsObject();
        holder.Remove(steps[^1]);
        var text = file.ToJsonString();
        // Written into the text, as a duplicate key has no place in a parsed object.
        var at = steps.Length == 1 ? 1 : text.IndexOf("\"model\":{", StringComparison.Ordinal) + "\"model\":{".Length;
        var broken = text.Insert(at, $"\"{steps[^1]}\":{value},");
        var refused = Assert.Throws<TokenizerFormatException>(() => MadeTokenizer.Load(broken));
        Assert.StartsWith("tokenizer.json: $", refused.Message, StringComparison.Ordinal);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"model\": 5}")]
    public void What_is_no_tokenizer_is_refused(string text) =>
        Assert.Contains("tokenizer.json", Assert.Throws<TokenizerFormatException>(() => MadeTokenizer.Load(text)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_folder_without_a_tokenizer_is_refused() =>
        Assert.Contains("does not exist", Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load("/nowhere/at/all")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_hole_in_the_vocabulary_is_a_token_that_adds_nothing()
    {
        var file = MadeTokenizer.ByteLevel(20);
        file["model"]!["vocab"]!["far"] = 5000;
        var tokenizer = MadeTokenizer.Load(file);
        Assert.Equal(5001, tokenizer.VocabularySize);
        Assert.Equal("", tokenizer.Decode([4000]));
        Assert.Equal("far", tokenizer.Decode([5000, -1, 99999]));
        Assert.True(tokenizer.BytesOf(4000).IsEmpty);
    }
}
