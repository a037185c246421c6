using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;

namespace Cairn.Frameworks.Tests.Constraining;

/// <summary>A random schema, and how to make random values that satisfy it.</summary>
internal sealed record Sketch(JsonNode Schema, Func<Random, JsonNode?> Value)
{
    public string Text => Schema.ToJsonString();

    public override string ToString() => Text;
}

internal static class Schemas
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] Words =
        ["", "a", "ab", "name", "kind", "value", "é", "日本", "😀", "a\"b", "back\\slash", "new\nline", "x y"];
    private static readonly string[] Keys = ["a", "ab", "abc", "b", "name", "na me", "é", "q\"t", "value"];

    /// <summary>As serialisers write it: compact, escaped only where JSON must be.</summary>
    public static string Compact(JsonNode? value) => value?.ToJsonString(Plain) ?? "null";

    private static Gen<Sketch> Const(string schema, Func<Random, JsonNode?> value) =>
        Gen.Const(() => new Sketch(JsonNode.Parse(schema)!, value));

    private static readonly Gen<Sketch> Leaf = Gen.OneOf(
        Const("""{"type":"string"}""", Word),
        Const("""{"type":"integer"}""", r => r.Next(-1000, 1000)),
        Const("""{"type":"number"}""", r => Math.Round(r.NextDouble() * 100 - 50, 3)),
        Const("""{"type":"boolean"}""", r => r.Next(2) == 0),
        Const("""{"type":"null"}""", _ => null),
        Const("""{"type":["string","null"],"description":"x"}""", r => r.Next(2) == 0 ? null : Word(r)),
        Const("""{"type":"integer","nullable":true}""", r => r.Next(2) == 0 ? null : r.Next(5)),
        Const("""{"enum":["a","ab",1,null,true,{"a":[1]},"q\"t"]}""",
            r => JsonNode.Parse(new[] { "\"a\"", "\"ab\"", "1", "null", "{\"a\":[1]}" }[r.Next(5)])),
        Const("""{"const":"é\n"}""", _ => "é\n"),
        Const("""{"type":"string","format":"date"}""",
            r => new DateTime(2000, 1, 1).AddDays(r.Next(20000)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        Const("""{"type":"string","format":"uuid"}""", r => new Guid(r.Next(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString()),
        Const("""{"type":"string","pattern":"^[a-c]+$"}""", r => new string("abc"[r.Next(3)], 1 + r.Next(4))),
        Const("""{"type":"string","pattern":"a\"?b","maxLength":6}""", r => "xx"[..r.Next(3)] + (r.Next(2) == 0 ? "ab" : "a\"b")),
        Const("{}", r => r.Next(2) == 0 ? Word(r) : new JsonArray(1, new JsonObject { ["z"] = Word(r) })),
        Const("true", r => r.Next(9)));

    private static readonly Gen<Sketch> Ranged = Gen.Select(Gen.Int[-120, 120], Gen.Int[0, 250], Gen.Bool).Select((low, span, isInteger) => new Sketch(
        new JsonObject { ["type"] = isInteger ? "integer" : "number", ["minimum"] = low, ["maximum"] = low + span },
        r => isInteger ? r.Next(low, low + span + 1) : Math.Round(low + r.NextDouble() * span, 2)));

    private static readonly Gen<Sketch> Sized = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 60], (minimum, more) => new Sketch(
        new JsonObject { ["type"] = "string", ["minLength"] = minimum, ["maxLength"] = minimum + more },
        r => string.Concat(Enumerable.Range(0, minimum + r.Next(more + 1)).Select(_ => new[] { "a", "é", "😀", "\"" }[r.Next(4)]))));

    public static readonly Gen<Sketch> Any = Gen.Recursive<Sketch>((depth, self) =>
        depth >= 3 ? Gen.OneOf(Leaf, Ranged, Sized) : Gen.Frequency(
            (3, Leaf), (1, Ranged), (1, Sized), (3, Object(self)), (2, Array(self)), (1, Union(self)), (1, Tree(self))));

    private static JsonNode? Word(Random random) => Words[random.Next(Words.Length)];

    private static Gen<Sketch> Object(Gen<Sketch> self) =>
        Gen.Select(Gen.Shuffle(Keys), self.Array[0, 4], Gen.Bool.Array[4], Gen.Int[0, 2]).Select(Object);

    private static Sketch Object(string[] keys, Sketch[] values, bool[] required, int extra)
    {
        var properties = new JsonObject();
        for (var i = 0; i < values.Length; i++) properties[keys[i]] = values[i].Schema.DeepClone();
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        schema["required"] = new JsonArray([.. Enumerable.Range(0, values.Length).Where(i => required[i]).Select(i => (JsonNode)keys[i])]);
        if (extra < 2) schema["additionalProperties"] = extra == 0 ? false : new JsonObject { ["type"] = "integer" };
        return new Sketch(schema, r =>
        {
            var value = new JsonObject();
            for (var i = 0; i < values.Length; i++)
                if (required[i] || r.Next(2) == 0) value[keys[i]] = values[i].Value(r)?.DeepClone();
            if (extra == 1 && r.Next(2) == 0) value["abx" + r.Next(3)] = r.Next(100);
            return value;
        });
    }

    private static Gen<Sketch> Array(Gen<Sketch> self) => Gen.Select(self, Gen.Int[0, 3], Gen.Int[-1, 4]).Select((item, minimum, more) =>
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = item.Schema.DeepClone(), ["minItems"] = minimum };
        if (more >= 0) schema["maxItems"] = minimum + more;
        return new Sketch(schema, r => new JsonArray(
            [.. Enumerable.Range(0, minimum + r.Next(Math.Max(0, more) + 1)).Select(_ => item.Value(r)?.DeepClone())]));
    });

    private static Gen<Sketch> Union(Gen<Sketch> self) => self.Array[1, 3].Select(branches => new Sketch(
        new JsonObject { ["anyOf"] = new JsonArray([.. branches.Select(b => b.Schema.DeepClone())]) },
        r => branches[r.Next(branches.Length)].Value(r)));

    /// <summary>Conjunctions, nested.</summary>
    private static Gen<Sketch> Tree(Gen<Sketch> self) => self.Select(leaf => Nested(leaf, 2));

    private static Sketch Nested(Sketch leaf, int depth) => depth == 0 ? leaf : new Sketch(
        new JsonObject
        {
            ["allOf"] = new JsonArray(
                new JsonObject
                {
                    ["type"] = "object", ["required"] = new JsonArray("v"),
                    ["properties"] = new JsonObject { ["v"] = leaf.Schema.DeepClone() },
                },
                new JsonObject { ["properties"] = new JsonObject { ["n"] = Nested(leaf, depth - 1).Schema.DeepClone() } }),
        },
        r =>
        {
            var value = new JsonObject { ["v"] = leaf.Value(r)?.DeepClone() };
            if (r.Next(2) == 0) value["n"] = Nested(leaf, depth - 1).Value(r)?.DeepClone();
            return value;
        });
}
