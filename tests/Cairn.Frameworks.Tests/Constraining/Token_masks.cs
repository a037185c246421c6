using System.Text;
using Cairn.Frameworks.Constraining;
using CsCheck;

namespace Cairn.Frameworks.Tests.Constraining;

public sealed class Token_masks
{
    [Fact]
    public void A_token_is_allowed_exactly_where_its_bytes_can_be_said_one_by_one()
    {
        var trie = Vocabulary.Small;
        Gen.Select(Schemas.Any, Gen.Int).Sample((schema, seed) =>
        {
            var grammar = Grammar.FromSchemaText(schema.Text);
            var text = Encoding.UTF8.GetBytes(grammar.RandomText(trie, new Random(seed), 40));
            var state = new GrammarState(grammar, trie);
            var random = new Random(seed);
            foreach (var token in GrammarTesting.RandomTokens(trie, text, random))
            {
                if (random.Next(4) == 0) Check(grammar, trie, state, text.AsSpan(0, 0).ToArray());
                state.Advance(token);
            }
            Check(grammar, trie, state, text);
        }, iter: 150);
    }

    private static void Check(Grammar grammar, TokenTrie trie, GrammarState state, byte[] said)
    {
        for (var token = 0; token < trie.VocabularySize; token++)
        {
            bool expected;
            if (token == Vocabulary.End) expected = state.IsComplete;
            else if (trie.BytesOf(token).IsEmpty) expected = false;
            else expected = state.Copy().TryAdvance(trie.BytesOf(token));
            Assert.True(expected == state.IsAllowed(token), $"token {token} after {Encoding.UTF8.GetString(said)}: {grammar}");
        }
    }

    [Fact]
    public void Where_a_text_is_cut_into_tokens_makes_no_difference()
    {
        var trie = Vocabulary.Small;
        Gen.Select(Schemas.Any, Gen.Int).Sample((schema, seed) =>
        {
            var grammar = Grammar.FromSchemaText(schema.Text);
            var random = new Random(seed);
            var text = Encoding.UTF8.GetBytes(grammar.RandomText(trie, random, 40));
            var (first, second) = (new GrammarState(grammar, trie), new GrammarState(grammar, trie));
            foreach (var token in GrammarTesting.RandomTokens(trie, text, random)) first.Advance(token);
            foreach (var token in GrammarTesting.RandomTokens(trie, text, random)) second.Advance(token);
            Assert.Same(first.Place, second.Place);
        }, iter: 200);
    }

    [Fact]
    public void A_tokenizer_without_some_bytes_is_never_led_into_a_dead_end()
    {
        // No "b" of its own: "ab" may be said only where "b" is never needed alone, which nobody can promise, so not at all.
        var trie = new TokenTrie([.. new[] { "a", "ab", "c", "" }.Select(t => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(t)))], [3]);
        var state = new GrammarState(Grammar.FromRegex("a(b|c)"), trie);
        Assert.Equal([0], state.AllowedTokens(trie));
        state.Advance(0);
        Assert.Equal([2], state.AllowedTokens(trie));
        state.Advance(2);
        Assert.True(state.IsFinished);
        Assert.Equal([3], state.AllowedTokens(trie));
        var failure = Assert.Throws<GrammarException>(() => new GrammarState(Grammar.FromRegex("ad"), trie));
        Assert.Contains("cannot say", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void End_tokens_are_allowed_where_the_text_is_complete_and_nothing_after_them()
    {
        var state = new GrammarState(Grammar.FromRegex("ab?"), Vocabulary.Small);
        Assert.False(state.IsAllowed(Vocabulary.End));
        Assert.Throws<ArgumentException>(() => state.Advance(Vocabulary.End));
        state.Advance('a');
        Assert.True(state.IsAllowed(Vocabulary.End));
        Assert.False(state.IsFinished);
        state.Advance(Vocabulary.End);
        Assert.True(state.IsFinished);
        Assert.Throws<ArgumentException>(() => state.Advance('b'));
    }

    [Fact]
    public void A_token_that_is_not_allowed_is_refused_and_changes_nothing()
    {
        var state = new GrammarState(Grammar.FromRegex("abc"), Vocabulary.Small);
        state.Advance('a');
        foreach (var token in new[] { 'x', -1, 1_000_000, 'a' }) Assert.Throws<ArgumentException>(() => state.Advance(token));
        state.Advance('b');
        state.Advance('c');
        Assert.True(state.IsFinished);
    }

    [Fact]
    public async Task Generations_on_many_threads_share_one_grammar()
    {
        const string schema = """{"properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"number"}}}}""";
        var grammar = Grammar.FromSchemaText(schema);
        var alone = Enumerable.Range(0, 16).Select(i => grammar.RandomText(Vocabulary.Small, new Random(i))).ToList();
        var fresh = Grammar.FromSchemaText(schema);
        var together = await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(i => Task.Run(() => fresh.RandomText(Vocabulary.Small, new Random(i)), TestContext.Current.CancellationToken)));
        Assert.Equal(alone, together);
    }
}
