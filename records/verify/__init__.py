"""Pages for whoever holds a report: is it genuine, was it withdrawn, has anything changed since?"""
