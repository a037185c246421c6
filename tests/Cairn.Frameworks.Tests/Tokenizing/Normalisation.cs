using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.Oracles;
using Cairn.Frameworks.Tokenizing.Normalizing;
using CsCheck;

namespace Cairn.Frameworks.Tests.Tokenizing;

public sealed class Normalisation
{
    [Theory, Trait("speed", "slow")]
    [InlineData("NFC", true, false)]
    [InlineData("NFD", false, false)]
    [InlineData("NFKC", true, true)]
    [InlineData("NFKD", false, true)]
    public void The_forms_are_Unicodes(string form, bool compose, bool compatible)
    {
        var (ours, oracle) = (new UnicodeForm(compose, compatible), Oracle.JavaScript);
        var marks = Gen.Int[0x300, 0x36F].Select(char.ConvertFromUtf32);
        Gen.Frequency((3, Texts.Any), (2, marks.Array[1, 6].Select(string.Concat)),
            (1, Gen.Int[0x80, 0x2FFFF].Where(c => c is < 0xD800 or > 0xDFFF).Select(char.ConvertFromUtf32)))
            .Array[1, 6].Select(string.Concat)
            .Sample(text => Assert.Equal(oracle.Must(new JsonObject { ["op"] = "normalize", ["text"] = text,
                ["form"] = form }).GetValue<string>(), ours.Normalize(text)),
                iter: 4000, threads: 1);
    }

    [Fact]
    public void A_precompiled_map_replaces_what_it_names_and_nothing_else()
    {
        var tokenizer = MadeTokenizer.ByteLevel();
        tokenizer["normalizer"] = new JsonObject
        {
            ["type"] = "Precompiled", ["precompiled_charsmap"] = Convert.ToBase64String(DoubleArray(("ﬁ", "fi"), ("①", "1"),
                ("é", "e\u0301"), ("e\u0301", "É"), ("x", ""))),
        };
        var read = MadeTokenizer.Load(tokenizer);
        Assert.Equal("fi1e\u0301É_y", read.Decode(read.Encode("ﬁ①ée\u0301x_y")));
    }

    /// <summary>SentencePiece's format, made naively: each node's children are put at the first offset where all are free.</summary>
    private static byte[] DoubleArray(params (string From, string To)[] entries)
    {
        var texts = new MemoryStream();
        var values = new Dictionary<string, int>();
        foreach (var (from, to) in entries)
        {
            values[Convert.ToHexString(Encoding.UTF8.GetBytes(from))] = (int)texts.Length;
            texts.Write(Encoding.UTF8.GetBytes(to + "\0"));
        }
        var units = new uint[4096];
        var used = new HashSet<uint> { 0 };
        Place("", 0);
        var map = new byte[4 + 4 * units.Length];
        BinaryPrimitives.WriteInt32LittleEndian(map, 4 * units.Length);
        for (var i = 0; i < units.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(map.AsSpan(4 + 4 * i), units[i]);
        return [.. map, .. texts.ToArray()];

        void Place(string prefix, uint node)
        {
            var labels = values.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && key.Length > prefix.Length)
                .Select(key => Convert.ToByte(key.Substring(prefix.Length, 2), 16)).Distinct().ToList();
            var leaf = values.TryGetValue(prefix, out var value);
            if (leaf) labels.Insert(0, 0);
            var offset = 1u;
            while (labels.Any(label => used.Contains(node ^ offset ^ label))) offset++;
            units[node] |= offset << 10 | (leaf ? 1u << 8 : 0);
            foreach (var label in labels) used.Add(node ^ offset ^ label);
            foreach (var label in labels)
            {
                var child = node ^ offset ^ label;
                units[child] = label == 0 ? (uint)value | 1u << 31 : label;
                if (label != 0) Place(prefix + Convert.ToHexString([label]), child);
            }
        }
    }
}
