namespace Cairn.Frameworks.Tokenizing;

/// <summary>A text or a pair of texts as an encoder model takes it.</summary>
/// <param name="Ids">Token ids, special ones included.</param>
/// <param name="TypeIds">For each token the segment that it belongs to (<c>token_type_ids</c>): 0 for the first text, usually 1 for the
/// second.</param>
/// <param name="Truncated">Whether tokens were left out to keep to a maximum.</param>
public sealed record TokenizedText(int[] Ids, int[] TypeIds, bool Truncated);
