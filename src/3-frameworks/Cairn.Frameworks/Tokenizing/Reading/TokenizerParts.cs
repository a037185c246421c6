using Cairn.Frameworks.Tokenizing.AddedTokens;
using Cairn.Frameworks.Tokenizing.Detokenizing;
using Cairn.Frameworks.Tokenizing.Finishing;
using Cairn.Frameworks.Tokenizing.Normalizing;
using Cairn.Frameworks.Tokenizing.Segmenting;
using Cairn.Frameworks.Tokenizing.Splitting;

namespace Cairn.Frameworks.Tokenizing.Reading;

/// <summary>What a <c>tokenizer.json</c> says, read and checked.</summary>
internal sealed record TokenizerParts(
    Segmenter Segmenter, Normalizer? Normalizer, Splitter? Splitter, SpecialsTemplate Template, Detokenizer Detokenizer,
        AddedTokenTable Added);
