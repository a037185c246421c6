using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Constraining;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>What the output must look like.</summary>
internal abstract record ConstraintSpec(string Param)
{
    /// <exception cref="GrammarException">It cannot be held to.</exception>
    public abstract Grammar Compile();

    /// <summary>Equal where the grammars are.</summary>
    public abstract string Key { get; }

    public sealed record AnyObject(string Param) : ConstraintSpec(Param)
    {
        public override string Key => "object";

        public override Grammar Compile() => Grammar.JsonObject;
    }

    public sealed record Schema(string Param, JsonElement Value) : ConstraintSpec(Param)
    {
        public override string Key => "schema " + Value.GetRawText();

        public override Grammar Compile() => Grammar.FromJsonSchema(Value);
    }

    public sealed record Regex(string Param, string Pattern) : ConstraintSpec(Param)
    {
        public override string Key => "regex " + Pattern;

        public override Grammar Compile() => Grammar.FromRegex(Pattern);
    }

    public sealed record Choice(string Param, IReadOnlyList<string> Texts) : ConstraintSpec(Param)
    {
        public override string Key => "regex " + Pattern;

        private string Pattern { get; } = "(" + string.Join('|', Texts.Select(Escape)) + ")";

        public override Grammar Compile() => Grammar.FromRegex(Pattern);

        private static string Escape(string text)
        {
            var pattern = new StringBuilder(text.Length + 8);
            foreach (var character in text)
            {
                if (@"\.+*?()|[]{}^$/".Contains(character, StringComparison.Ordinal))
                    pattern.Append('\\');
                pattern.Append(character);
            }

            return pattern.ToString();
        }
    }
}
