using System.Text;
using Cairn.Frameworks.Tokenizing;
using Cairn.Frameworks.Tokenizing.Splitting;
using CsCheck;

namespace Cairn.Frameworks.Tests.Tokenizing;

public sealed class Byte_level_tokenizers
{
    private static readonly Tokenizer Gpt2 = MadeTokenizer.Load(MadeTokenizer.ByteLevel());
    private static readonly Tokenizer Llama3 = MadeTokenizer.Load(MadeTokenizer.Llama3Like());

    [Fact]
    public void Any_text_comes_back_as_it_was() => Texts.Any.Sample(text =>
    {
        Assert.Equal(text, Gpt2.Decode(Gpt2.Encode(text), skipSpecialTokens: false));
        Assert.Equal(text, Llama3.Decode(Llama3.Encode(text, addSpecialTokens: false), skipSpecialTokens: false));
    }, iter: 2000);

    [Fact]
    public void A_stream_gives_what_decoding_gives_for_any_tokens_valid_or_not() =>
        Gen.Int[0, Gpt2.VocabularySize + 3].Array[0, 40].Sample(tokens =>
        {
            var stream = Gpt2.NewStream();
            var streamed = new StringBuilder();
            foreach (var token in tokens)
            {
                var piece = stream.Append(token);
                Assert.False(piece.Length > 0 && char.IsHighSurrogate(piece[^1]), "half a character was emitted");
                streamed.Append(piece);
            }
            Assert.Equal(Gpt2.Decode(tokens), streamed.Append(stream.Flush()).ToString());
        }, iter: 5000);

    [Fact]
    public void A_character_of_several_tokens_is_held_back_until_it_is_whole()
    {
        var bytes = Encoding.UTF8.GetBytes("é👍");
        var stream = Gpt2.NewStream();
        Assert.Equal(["", "é", "", "", "", "👍"], bytes.Select(value =>
            stream.Append(Gpt2.IdOf(ByteCharacters.Of(value).ToString())!.Value)));
        Assert.Equal("", stream.Flush());
    }

    [Fact]
    public void What_is_incomplete_at_the_end_is_flushed_as_a_replacement_character()
    {
        var stream = Gpt2.NewStream();
        Assert.Equal("", stream.Append(Gpt2.IdOf(ByteCharacters.Of(0xF0).ToString())!.Value));
        Assert.Equal("\uFFFD", stream.Flush());
    }

    [Fact]
    public void Special_tokens_in_the_text_become_their_ids_and_are_shown_only_when_asked()
    {
        var end = Gpt2.IdOf("<|end|>")!.Value;
        var ids = Gpt2.Encode("dog<|end|>the");
        Assert.Equal([.. Gpt2.Encode("dog"), end, .. Gpt2.Encode("the")], ids);
        Assert.True(Gpt2.IsSpecial(end));
        Assert.Equal("dogthe", Gpt2.Decode(ids));
        Assert.Equal("dog<|end|>the", Gpt2.Decode(ids, skipSpecialTokens: false));
        Assert.True(Gpt2.BytesOf(end).IsEmpty);
    }

    [Fact]
    public void An_added_token_that_is_not_special_is_shown_and_has_bytes()
    {
        var tool = Gpt2.IdOf("<tool>")!.Value;
        Assert.Equal([tool], Gpt2.Encode("<tool>"));
        Assert.False(Gpt2.IsSpecial(tool));
        Assert.Equal("<tool>", Gpt2.Decode([tool]));
        Assert.Equal("<tool>"u8.ToArray(), Gpt2.BytesOf(tool).ToArray());
    }

    [Fact]
    public void The_template_adds_its_tokens_only_when_asked()
    {
        var begin = Llama3.IdOf("<s>")!.Value;
        Assert.Equal([begin, .. Llama3.Encode("the dog", addSpecialTokens: false)], Llama3.Encode("the dog"));
        Assert.Equal([begin], Llama3.Encode(""));
        Assert.Empty(Gpt2.Encode(""));
    }

    [Fact]
    public void The_bytes_of_a_texts_tokens_are_the_texts_bytes() =>
        Texts.Any.Where(text => !text.Contains('<', StringComparison.Ordinal)).Sample(text =>
        Assert.Equal(Encoding.UTF8.GetBytes(text), Gpt2.Encode(text).SelectMany(token => Gpt2.BytesOf(token).ToArray())), iter: 1000);

    [Fact]
    public void A_lone_surrogate_counts_as_a_replacement_character() => Assert.Equal(Gpt2.Encode("a\uFFFDb"), Gpt2.Encode("a\uD800b"));

    [Fact]
    public void Letters_beyond_the_basic_plane_are_letters()
    {
        // GPT-4's pattern takes one sign along before letters but not before other signs; "𝐀" is a letter and "😀" is none.
        Assert.Equal(["!𝐀𝐁"], Texts.Matches(MadeTokenizer.Gpt4Words, "!𝐀𝐁"));
        Assert.Equal(["!😀", "a"], Texts.Matches(MadeTokenizer.Gpt4Words, "!😀a"));
    }
}
