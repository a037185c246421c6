using System.Text.Json.Nodes;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Tests.Tokenizing;

public sealed class The_config_beside_it
{
    private static JsonObject Config(string text) => (JsonObject)JsonNode.Parse(text)!;

    [Fact]
    public void Llama_classes_build_their_template_from_it()
    {
        var file = MadeTokenizer.Llama2Like();
        var plain = MadeTokenizer.Load(file).Encode("the dog", addSpecialTokens: false);
        int[] Encoded(string config) => MadeTokenizer.Load(file, Config(config)).Encode("the dog");

        Assert.Equal([1, .. plain, 2],
            Encoded("""{"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": true, "add_eos_token": true, "bos_token": "<s>", "eos_token": {"content": "</s>"}}"""));
        Assert.Equal(plain, Encoded("""{"tokenizer_class": "LlamaTokenizer", "add_bos_token": false, "bos_token": "<s>"}"""));
        Assert.Equal([1, .. plain], Encoded("""{"tokenizer_class": "Qwen2Tokenizer", "add_bos_token": false, "bos_token": null}"""));
    }

    [Fact]
    public void It_adds_tokens_and_marks_them()
    {
        var file = MadeTokenizer.ByteLevel();
        var id = MadeTokenizer.Load(file).VocabularySize + 2;
        var config = Config("{\"added_tokens_decoder\": {\"" + id
            + "\": {\"content\": \"<new>\", \"special\": true, \"lstrip\": false, \"rstrip\": false, \"normalized\": false, \"single_word\": false}}}");
        var tokenizer = MadeTokenizer.Load(file, config);
        Assert.Equal([id], tokenizer.Encode("<new>"));
        Assert.True(tokenizer.IsSpecial(id));
        Assert.Equal(id + 1, tokenizer.VocabularySize);
    }

    [Fact]
    public void It_puts_a_space_in_front()
    {
        var tokenizer = MadeTokenizer.Load(MadeTokenizer.ByteLevel(), Config("""{"pad_token": null, "add_prefix_space": true}"""));
        Assert.Equal(tokenizer.Encode(" the"), tokenizer.Encode("the"));
    }

    [Fact]
    public void A_wrong_type_in_it_is_refused_by_its_place()
    {
        var refused = Assert.Throws<TokenizerFormatException>(() =>
            MadeTokenizer.Load(MadeTokenizer.ByteLevel(), Config("""{"bos_token": 5}""")));
        Assert.Equal("tokenizer_config.json: $.bos_token is 5; expected a string.", refused.Message);
    }
}
