namespace Cairn.Frameworks.Engine;

/// <summary>What was loaded, for people and boards.</summary>
/// <param name="Precision">How most weights are stored: <c>int4</c>, <c>int8</c>, or that of keys and values: <c>fp16</c>, <c>fp32</c>.</param>
/// <param name="CacheInPlace">Whether the graph updates keys and values in place; copying them in every step is slower.</param>
/// <param name="Rows">Sequences decoded together.</param>
/// <param name="KeyValueBytes">The most that keys and values of all rows may take, bytes.</param>
public sealed record ModelFacts(string Precision, bool CacheInPlace, int Rows, long KeyValueBytes);
