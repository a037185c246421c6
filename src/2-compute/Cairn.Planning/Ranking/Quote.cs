using Cairn.Planning.Fit;

namespace Cairn.Planning.Ranking;

/// <summary>A total and what speaks against it; prices in micro-dollars per hour of all nodes and of one.</summary>
internal readonly record struct Quote(ReasonBits Unmet, long Total, long Hourly, long Node);
