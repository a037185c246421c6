using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Constraining;
using CsCheck;

namespace Cairn.Frameworks.Tests.Constraining;

public sealed class Json_schemas_as_grammars
{
    [Fact]
    public void Whatever_is_said_parses_and_satisfies_the_schema()
    {
        Gen.Select(Schemas.Any, Gen.Int).Sample((schema, seed) => Says(schema.Text, seed), iter: 400);
    }

    private static void Says(string schema, int seed)
    {
        var text = Grammar.FromSchemaText(schema).RandomText(Vocabulary.Small, new Random(seed), 60);
        using var document = JsonDocument.Parse(schema);
        using var value = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1000 });
        Assert.True(NaiveValidator.IsValid(document.RootElement, value.RootElement, document.RootElement), $"{schema} said {text}");
    }

    [Fact]
    public void Every_valid_compact_document_in_the_schemas_order_is_taken()
    {
        Gen.Select(Schemas.Any, Gen.Int).Sample((schema, seed) =>
        {
            var random = new Random(seed);
            var grammar = Grammar.FromSchemaText(schema.Text);
            var document = Schemas.Compact(schema.Value(random));
            var state = new GrammarState(grammar, Vocabulary.Small);
            foreach (var token in GrammarTesting.RandomTokens(Vocabulary.Small, Encoding.UTF8.GetBytes(document), random))
            {
                Assert.True(state.IsAllowed(token), $"{schema} refuses {document}");
                state.Advance(token);
            }
            Assert.True(state.IsComplete, $"{schema} wants more than {document}");
        }, iter: 500);
    }

    [Theory]
    [InlineData("""{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"required":["v","next"]}}}""")]
    [InlineData("""{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"},"maxItems":2}},"additionalProperties":false}""")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"boolean"},"minItems":3}""")]
    [InlineData("""{"type":"array","items":{"enum":["x","y"]},"minItems":40,"maxItems":45}""")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"},"minProperties":2,"maxProperties":3,"required":["a"]}""")]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"t":{"const":"a"},"x":{"type":"integer"}},"required":["t","x"]},{"type":"object","properties":{"t":{"const":"b"}},"required":["t"]}]}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}""")]
    [InlineData("""{"allOf":[{"$ref":"#/definitions/base"},{"properties":{"y":{"type":"number"}},"required":["y"]}],"definitions":{"base":{"type":"object","properties":{"x":{"type":"string","minLength":1}},"required":["x"]}}}""")]
    [InlineData("""{"type":"number","exclusiveMinimum":0,"maximum":1}""")]
    [InlineData("""{"type":"string","format":"date-time"}""")]
    [InlineData("""{"type":"string","format":"time"}""")]
    [InlineData("""{"type":"string","format":"ipv4"}""")]
    [InlineData("""{"type":"string","format":"ipv6"}""")]
    [InlineData("""{"type":"string","format":"email"}""")]
    [InlineData("""{"type":"string","format":"duration"}""")]
    [InlineData("""{"type":"string","minLength":200,"maxLength":300}""")]
    [InlineData("""{"type":"string","pattern":"^(ab|cd)*$","minLength":3,"maxLength":9}""")]
    [InlineData("""{"properties":{"a":{"type":"integer"}}}""")]
    [InlineData("""{"type":"object"}""")]
    [InlineData("""{"type":"object","properties":{"a":false,"b":true},"required":["c"]}""")]
    public void Schemas_of_every_kind_say_what_satisfies_them(string schema)
    {
        for (var seed = 0; seed < 30; seed++) Says(schema, seed);
    }

    [Theory]
    [InlineData("""{"type":"string"}""", "\"a\\u0041\\uD83D\\uDE00\\/\"", true)]
    [InlineData("""{"type":"string"}""", "\"\\uD83D\"", false)]
    [InlineData("""{"type":"string"}""", "\"\\uDE00\"", false)]
    [InlineData("""{"type":"string"}""", "\"a\nb\"", false)]
    [InlineData("""{"type":"object","properties":{"a":{},"b":{}}}""", "{\"a\": 1, \"b\": [1, 2, {\"c\": null}]}", true)]
    [InlineData("""{"type":"object","properties":{"a":{},"b":{}}}""", "{\n  \"a\": 1,\n  \"b\": [\n    1\n  ]\n}", true)]
    [InlineData("""{"type":"object","properties":{"a":{},"b":{}}}""", "{\"b\":1,\"a\":1}", false)]
    [InlineData("""{"type":"object","properties":{"a":{},"b":{}}}""", "{  \"a\":1}", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"integer"}}""", "{\"ab\":1}", true)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"integer"}}""", "{\"a\":1}", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"integer"}}""", "{\"\\u0061\":1}", false)]
    [InlineData("""{"type":"integer"}""", "012", false)]
    [InlineData("""{"type":"integer"}""", "-0", true)]
    [InlineData("""{"type":"integer"}""", "1.0", false)]
    [InlineData("""{"type":"number"}""", "-1.5e-7", true)]
    [InlineData("""{"type":"string","format":"date"}""", "\"2023-02-29\"", false)]
    [InlineData("""{"type":"string","format":"date"}""", "\"2024-02-29\"", true)]
    [InlineData("""{"type":"string","format":"int32"}""", "\"any\"", true)]
    [InlineData("""{"type":"string","pattern":"b"}""", "\"abc\\n\"", true)]
    [InlineData("""{"type":"string","maxLength":2}""", "\"😀\\uD83D\\uDE00\"", true)]
    [InlineData("""{"type":"string","maxLength":2}""", "\"😀é1\"", false)]
    [InlineData("""{"type":"array","prefixItems":[{},{}]}""", "[1,2,3]", false)]
    [InlineData("""{"type":"array","items":{},"maxItems":0}""", "[]", true)]
    [InlineData("""{"enum":["a","b"],"type":"string"}""", "\"b\"", true)]
    [InlineData("""{"enum":["a",1],"type":"string"}""", "1", false)]
    public void Single_texts(string schema, string text, bool taken) => Assert.Equal(taken, Grammar.FromSchemaText(schema).Accepts(text));

    [Fact]
    public void Numbers_within_bounds_are_taken_and_others_not()
    {
        var bound = Gen.Select(Gen.Int[-2000, 2000], Gen.Int[0, 2], (digits, scale) => digits / (decimal)Math.Pow(10, scale));
        var number = Gen.Select(Gen.Int[-3000, 3000], Gen.Int[0, 4],
            (digits, scale) => new decimal(Math.Abs(digits), 0, 0, digits < 0, (byte)scale));
        Gen.Select(bound, bound, Gen.Int[0, 5], number.Array[30]).Sample((a, b, kind, numbers) =>
        {
            var (low, high) = (Math.Min(a, b), Math.Max(a, b));
            var isInteger = kind % 2 == 0;
            var (least, most) = (kind / 2 == 1 ? "exclusiveMinimum" : "minimum", kind / 2 == 0 ? "maximum" : "exclusiveMaximum");
            var type = isInteger ? "integer" : "number";
            var text = FormattableString.Invariant($$"""{"type":"{{type}}","{{least}}":{{low}},"{{most}}":{{high}}}""");
            Grammar grammar;
            try
            {
                grammar = Grammar.FromSchemaText(text);
            }
            catch (GrammarException)
            {
                Assert.DoesNotContain(numbers, n => IsWithin(n));
                return;
            }
            foreach (var n in numbers.Concat([low, high]))
            {
                var spelled = n.ToString(System.Globalization.CultureInfo.InvariantCulture);
                if (isInteger && spelled.Contains('.')) continue;
                Assert.True(IsWithin(n) == grammar.Accepts(spelled), $"{text}: {spelled}");
            }

            bool IsWithin(decimal n) => (least == "minimum" ? n >= low : n > low) && (most == "maximum" ? n <= high : n < high)
                && (!isInteger || n % 1 == 0);
        }, iter: 1000);
    }

    [Theory]
    [InlineData("""{"$ref":"#"}""", "#: the schema refers to itself without consuming anything")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}""", "refers to itself without consuming anything")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"type":"string"},{"$ref":"#/$defs/a"}]}}}""", "#/$defs/a: the schema refers to itself")]
    [InlineData("""{"properties":{"a":{"allOf":[{"$ref":"#/properties/a"}]}}}""", "#/properties/a: the schema refers to itself")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "never ends")]
    [InlineData("""{"properties":{"a/b":{"not":{}}}}""", "#/properties/a~1b: not cannot be held")]
    [InlineData("""{"items":{"type":"text"}}""", "#/items: type is \"text\"")]
    [InlineData("""{"$ref":"other.json"}""", "only references into the same schema")]
    [InlineData("""{"$ref":"#/$defs/x"}""", "the schema has nothing there")]
    [InlineData("""{"type":"string","pattern":"(?=a)"}""", "#: pattern or format: The expression has a look-around")]
    [InlineData("""{"type":"number","multipleOf":0.5}""", "multipleOf 0.5 cannot be held")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "uniqueItems cannot be held")]
    [InlineData("""{"type":"string","maxLength":100000}""", "maxLength is above")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":2}""", "contradicts itself")]
    [InlineData("""{"type":"integer","minimum":5,"maximum":4}""", "contradicts itself")]
    [InlineData("false", "contradicts itself")]
    [InlineData("""{"enum":[]}""", "expected a list of at least one value")]
    [InlineData("""{"required":"a"}""", "expected a list of names")]
    [InlineData("""{"minItems":-1}""", "expected a whole number")]
    [InlineData("[]", "#: a schema is an object or a boolean, not array")]
    public void What_cannot_be_held_is_refused_with_its_place(string schema, string message) =>
        Assert.Contains(message, Assert.Throws<GrammarException>(() => Grammar.FromSchemaText(schema)).Message, StringComparison.Ordinal);

    [Fact]
    public void Any_json_object_is_what_json_object_mode_says()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var text = Grammar.JsonObject.RandomText(Vocabulary.Small, new Random(seed), 60);
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1000 });
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        }
        Assert.True(Grammar.JsonObject.Accepts("""{"a":[1,-2.5e3,{"b":null}],"é":"\u00e9"}"""));
        Assert.False(Grammar.JsonObject.Accepts("[]"));
    }

    [Fact]
    public void A_hundred_optional_properties_stay_small()
    {
        var properties = string.Join(',', Enumerable.Range(0, 100)
            .Select(i => $$""" "field_{{i:000}}":{"type":["string","null"],"maxLength":255}"""));
        var grammar = Grammar.FromSchemaText("{\"type\":\"object\",\"properties\":{" + properties + "}}");
        Assert.True(grammar.Accepts("""{"field_003":"x","field_099":null}"""));
        Assert.False(grammar.Accepts("""{"field_099":"x","field_003":null}"""));
    }

    [Fact]
    public void A_schema_of_deep_nesting_or_great_size_is_refused_and_not_fallen_over()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"properties":{"a":""", 150)) + "true" + string.Concat(Enumerable.Repeat("}}", 150));
        using var document = JsonDocument.Parse(deep, new JsonDocumentOptions { MaxDepth = 1000 });
        var tooDeep = Assert.Throws<GrammarException>(() => Grammar.FromJsonSchema(document.RootElement));
        Assert.Contains("nested deeper", tooDeep.Message, StringComparison.Ordinal);
        var wide = $$"""{"enum":[{{string.Join(',', Enumerable.Range(0, 60_000))}}]}""";
        var tooWide = Assert.Throws<GrammarException>(() => Grammar.FromSchemaText(wide));
        Assert.Contains("characters", tooWide.Message, StringComparison.Ordinal);
    }
}
