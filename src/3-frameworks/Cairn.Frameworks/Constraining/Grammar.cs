using System.Runtime.CompilerServices;
using System.Text.Json;
using Cairn.Frameworks.Constraining.Automata;
using Cairn.Frameworks.Constraining.JsonSchemas;
using Cairn.Frameworks.Constraining.Matching;
using Cairn.Frameworks.Constraining.Regexes;

namespace Cairn.Frameworks.Constraining;

/// <summary>The texts that a generation may say, compiled. Immutable and shared between generations.</summary>
/// <remarks>Keep one and use it again for the same schema: its token masks are computed once per tokenizer.</remarks>
public sealed class Grammar
{
    private readonly Pushdown _automaton;
    private readonly ConditionalWeakTable<TokenTrie, Matcher> _matchers = [];

    private Grammar(Nfa nfa) => _automaton = Pushdown.From(nfa);

    /// <summary>Any JSON object.</summary>
    public static Grammar JsonObject { get; } = FromSchemaText("""{"type":"object"}""");

    /// <summary>JSON texts that the schema accepts, in its order of properties; docs/constrained-output.md tells which.</summary>
    /// <exception cref="GrammarException">The schema is malformed, refers to itself without consuming anything, is too large, or uses a
    /// keyword that cannot be held; the message has the JSON pointer.</exception>
    public static Grammar FromJsonSchema(JsonElement schema) => new(SchemaCompiler.Compile(schema));

    /// <summary>Texts that match the whole expression: the common core of ECMA and RE2 syntax, no back-references, no look-around.</summary>
    /// <exception cref="GrammarException">The expression is malformed or too large.</exception>
    public static Grammar FromRegex(string pattern) => Of(nfa => RegexWriter.Write(nfa, pattern));

    /// <summary>One of these texts.</summary>
    /// <exception cref="GrammarException">There is none, or they are too long together.</exception>
    public static Grammar FromChoices(IReadOnlyCollection<string> choices)
    {
        if (choices.Count == 0) throw new GrammarException("choice is empty; give at least one text.");
        return Of(nfa => nfa.Either(choices.Select(nfa.Text)));
    }

    /// <summary>Texts written by hand, for what schemas stand inside of.</summary>
    internal static Grammar Of(Func<Nfa, Fragment> write)
    {
        var nfa = new Nfa();
        var whole = nfa.Declare();
        nfa.Define(whole, write(nfa));
        return new Grammar(nfa);
    }

    /// <summary>Values of schemas inside of other text; <see cref="SchemaCompiler.Compile(IReadOnlyList{SchemaRoot},
    /// Func{Nfa, Func{int, Fragment}, Fragment})"/> tells the arguments.</summary>
    internal static Grammar OfSchemas(IReadOnlyList<SchemaRoot> schemas, Func<Nfa, Func<int, Fragment>, Fragment> around) =>
        new(SchemaCompiler.Compile(schemas, around));

    internal static Grammar FromSchemaText(string schema)
    {
        using var document = JsonDocument.Parse(schema);
        return FromJsonSchema(document.RootElement);
    }

    internal Matcher MatcherFor(TokenTrie tokens) => _matchers.GetValue(tokens, t => new Matcher(_automaton, t));
}
