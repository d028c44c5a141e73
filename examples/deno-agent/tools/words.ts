// A tool as they should be: counts the words of a sentence.
console.log(`${'one that does its work and goes'.split(' ').length} words`);
